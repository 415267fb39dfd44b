"""Says when what is not urgent may go, so that gateways whose uplink comes back at one moment ask no more of it than on a steady day. Pure.

Once the uplink is back all but events wait a random while. What was cut lately goes at once after that; the backlog goes along with it, and
alone once in a minute. It goes sooner than that while it would be slower than CATCHING_UP times what is cut, and on a line whose bytes are
limited, which is a pace of its own.
"""

from __future__ import annotations

from random import Random

from edge.store.lanes import Lane

ALONE_SECONDS = 60.0
"""The backlog makes requests of its own no more often."""
SPREAD_SECONDS = 5.0
CATCHING_UP = 20


class Pace:
    """Is told when the uplink is back and what went: `pace.begin(down, now)`, `pace.count(live, backlog, now)`.

    Times are monotonic seconds.
    """

    def __init__(self, rng: Random, alone_seconds: float = ALONE_SECONDS) -> None:
        self._rng, self._alone_seconds = rng, alone_seconds
        self._begun, self._spread_to, self._alone_at = 0.0, 0.0, 0.0
        self._owed = 0
        """So many batches of the backlog may go because of what was cut and went."""

    def begin(self, down: float, now: float) -> None:
        """Begins anew where the uplink was down for so long. What waits is spread over no longer than that."""
        self._begun, self._owed = now, 0
        self._spread_to = self._alone_at = now + self._rng.uniform(0, min(SPREAD_SECONDS, down))

    def lanes(self, now: float) -> list[Lane]:
        """Returns the lanes of which something may go by itself."""
        if now < self._spread_to:
            return [Lane.URGENT]
        if self._owed > 0 or now >= self._alone_at:
            return [Lane.URGENT, Lane.LIVE, Lane.BACKLOG]
        return [Lane.URGENT, Lane.LIVE]

    def count(self, live: int, backlog: int, now: float) -> None:
        """Counts a request with so many batches. What goes right after an outage was not cut lately, though it is live."""
        if now - self._begun >= self._alone_seconds:
            self._owed += CATCHING_UP * live
        self._owed = max(self._owed - backlog, 0)
        if backlog:
            self._alone_at = now + self._alone_seconds

    def next_change(self, now: float) -> float:
        """Says when another lane may go; infinity if all may."""
        return min((at for at in (self._spread_to, self._alone_at) if at > now), default=float("inf"))
