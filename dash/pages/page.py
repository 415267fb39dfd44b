"""A page of the dash: where it lies, what it is called, and how its content comes about. A new one is a file, a template and a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dash.data.span import Span
from dash.data.warehouse import Questions

LONGEST = timedelta(days=1100)
"""Three years: more at once is nothing that a person looks at."""
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""What lies outside no warehouse holds, and no calendar reckons with."""
_CLOCK = re.compile(r"[T ]\d")


class Missing(LookupError):
    """There is nothing of this name that the viewer may see; the text says so."""


class Unreadable(ValueError):
    """The address asks for what no page shows; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a request asks for: `place` are the parts of its path by name, `choice` what stands behind its question mark."""

    questions: Questions
    now: datetime
    place: Mapping[str, str]
    choice: Mapping[str, str]
    may_answer: bool

    def span(self, days: int) -> Span:
        """Returns the range that the address names: from and to (UTC; times, or whole days, both inclusive), or so many days until now.

        It ends now at the latest. Raises Unreadable.
        """
        end = min(self.now, _end(self.choice["to"])) if self.choice.get("to") else self.now
        begin = _time(self.choice["from"], "from") if self.choice.get("from") else end - timedelta(days=self.days(days))
        if not begin < end:
            raise Unreadable("`from` must lie before `to`, and before now")
        if end - begin > LONGEST:
            raise Unreadable(f"more than {LONGEST.days} days are not shown at once")
        return Span(begin, end)

    def days(self, default: int) -> int:
        """Returns the days that the address asks for. Raises Unreadable."""
        text = self.choice.get("days") or str(default)
        if not text.isdecimal() or len(text) > len(str(LONGEST.days)) or not 0 < int(text) <= LONGEST.days:
            raise Unreadable(f"`days` must be a number from 1 to {LONGEST.days}")
        return int(text)


@dataclass(frozen=True, slots=True)
class Page:
    """Lies at `path`, in the navigation as `title` (not, if that is empty), and fills `template` with what `content` returns.

    `content` raises Missing, Unreadable and Unreachable.
    """

    path: str
    title: str
    template: str
    content: Callable[[Asking], dict[str, Any]]


def _end(text: str) -> datetime:
    """Reads when a range ends: a day is one to its end."""
    end = _time(text, "to")
    return end if _CLOCK.search(text) else end + timedelta(days=1)


def _time(text: str, name: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unreadable(f"`{name}` must be a day like 2026-05-01, or a time like 2026-05-01T12:00Z") from error
    known = time if time.tzinfo else time.replace(tzinfo=UTC)
    if not _FIRST <= known <= _LAST:
        raise Unreadable(f"`{name}` must lie between {_FIRST.year} and {_LAST.year}")
    return known.astimezone(UTC)
