"""Says how far a subscription has been read, as the time of publication before which nothing more is expected. Pure.

Pub/Sub tells nobody how old its backlog is. While messages come, what comes next is taken to be as old as what came last, also while nobody
asks because enough is out; only a subscription that was asked and had nothing for a while counts as read up to now.
"""

from __future__ import annotations

QUIET_SECONDS = 10.0
SLACK_SECONDS = 5.0
"""So much older than its neighbours a message may be without being late."""


class Watermark:
    """Follows publish times, in seconds since 1970; never goes back."""

    def __init__(self) -> None:
        self._latest = 0.0
        self._came, self._oldest, self._empty = 0.0, 0.0, 0.0

    def pulled(self, oldest: float, now: float) -> None:
        """Hears of messages that came, the oldest of which was published then."""
        self._came, self._oldest = now, oldest

    def found_empty(self, now: float) -> None:
        """Hears that there was nothing."""
        self._empty = now

    def at(self, oldest_waiting: float | None, now: float) -> float:
        """Returns the watermark, given the oldest message that was pulled and not passed on."""
        reached = [now] if self._empty - self._came > QUIET_SECONDS else [self._oldest]
        reached += [oldest_waiting] if oldest_waiting is not None else []
        self._latest = max(self._latest, min(reached) - SLACK_SECONDS)
        return self._latest
