"""Decides of which moment a page is shown: of the last that is known, while it is asked behind it what is so now.

Whoever looks waits for the warehouse at the first look alone, and again when nobody has looked for `OLDEST`; a page says of when it is.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta

OLDEST = timedelta(minutes=5)
"""A page that is older is not shown any more."""
MOST_PAGES = 200

Later = Callable[[Callable[[], None]], object]
"""Runs a task in another thread."""


class Moments:
    """Is used by many threads: `moments.of(page, now, ask)`, answer the page of that moment, `moments.note(page, moment)`."""

    def __init__(self, later: Later) -> None:
        self._later, self._lock = later, threading.Lock()
        self._known: OrderedDict[Hashable, datetime] = OrderedDict()
        self._asking: set[Hashable] = set()

    def of(self, page: Hashable, now: datetime, ask: Callable[[], None]) -> datetime:
        """Returns the moment to show; where it is not `now`, `ask` is called later, once however many look meanwhile.

        `ask` is to end with a `note`. What it raises is whose it is to handle: the next look asks again.
        """
        with self._lock:
            known = self._known.get(page)
            if known is None or known >= now or now - known > OLDEST:
                return now
            if page not in self._asking:
                self._asking.add(page)
                self._later(lambda: self._ask(page, ask))
            return known

    def note(self, page: Hashable, moment: datetime) -> None:
        """Notes that all of a page of that moment is known."""
        with self._lock:
            self._known[page] = max(moment, self._known.pop(page, moment))
            while len(self._known) > MOST_PAGES:
                self._known.popitem(last=False)

    def forget(self) -> None:
        """Shows everything of now from now on: something was written."""
        with self._lock:
            self._known.clear()

    def _ask(self, page: Hashable, ask: Callable[[], None]) -> None:
        try:
            ask()
        finally:
            with self._lock:
                self._asking.discard(page)
