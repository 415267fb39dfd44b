"""Says what may go up now, by the bytes that [uplink.limits] allows in a second and in a day, and counts what went. No I/O.

Guarantees that events always go; that heartbeats keep a twentieth of either limit; and that what went today is known after a restart, but
for what was under way: it is kept in a section of the store that each confirmation commits. Times are monotonic seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from edge.finding import Finding, Status
from edge.store.section import Section
from edge.store.store import OutboxBatch
from edge.uplink.limits import DAY_SECONDS, Limits, Wire
from edge.uplink.steady_day import SteadyDay
from program import logs
from schemas.records import KINDS, Kind

SECTION = "uplink"
_SHARE = 0.05
"""This part of a limit is for heartbeats alone."""
_BURST_SECONDS, _HEARTBEAT_BURST_SECONDS, _DEBT_SECONDS = 1.0, 900.0, 60.0
"""So much may go at once after a pause; so long events that went all the same delay the others at most."""
MAX_TOGETHER_BYTES = 1_000_000
"""A request with more than one batch has no more: what is lost on a bad line is sent again as a whole."""
_URGENT = KINDS[Kind.EVENTS].priority

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class DayBytes:
    """Says how many bytes went up since midnight UTC, and how many may; once they are spent, what is left is for events and heartbeats."""

    spent: int
    limit: int
    are_spent: bool = False


class Allowance:
    """Is asked before each request, and told of each: `allowance.permitted(batches, now)`, `allowance.spend(batches, now)`.

    Whoever commits a confirmation commits `section` with it.
    """

    def __init__(self, limits: Limits, wire: Wire, section: Section, clock: Callable[[], datetime]) -> None:
        self.section, self.wire = section, wire
        rate = limits.max_bytes_per_second
        self._line = _Bucket(rate, _BURST_SECONDS) if rate else None
        self._heartbeats = _Bucket(rate * _SHARE, _HEARTBEAT_BURST_SECONDS) if rate else None
        self.most_together = min(max(int(rate * _BURST_SECONDS), 1), MAX_TOGETHER_BYTES) if rate else MAX_TOGETHER_BYTES
        """Bytes of a request that holds more than one batch: an event waits for no longer one on a slow line."""
        self._budget = _Budget(limits.max_bytes_per_day, section, SteadyDay(clock)) if limits.max_bytes_per_day else None

    @property
    def day(self) -> DayBytes | None:
        """Returns what is left of today, None without a limit."""
        return self._budget.bytes if self._budget else None

    @property
    def is_line_limited(self) -> bool:
        return self._line is not None

    @property
    def is_day_spent(self) -> bool:
        return self._budget is not None and self._budget.bytes.are_spent

    def turn(self, now: float) -> None:
        """Looks whether a new day has begun."""
        if self._budget:
            self._budget.turn(now)

    def permitted(self, batches: Sequence[OutboxBatch], now: float) -> list[OutboxBatch]:
        """Returns those of a request that may go now. On the line a request goes whole, and its size is waited for after it."""
        if self._line is None and self._budget is None:
            return list(batches)
        permitted, size = list[OutboxBatch](), self.wire.around
        for batch in batches:
            if self._is_free(batch, now) or (self._has_room(now) and self._fits(size + self.wire.message(batch))):
                permitted.append(batch)
                size += self.wire.message(batch)
        return permitted

    def _is_free(self, batch: OutboxBatch, now: float) -> bool:
        """Says whether it goes whatever the day has taken: an event always, a heartbeat by its share of the line."""
        if batch.envelope.kind == Kind.HEARTBEATS:
            return self._has_room(now) or (self._heartbeats is not None and self._heartbeats.has_room(now))
        return batch.envelope.priority >= _URGENT

    def _has_room(self, now: float) -> bool:
        return self._line is None or self._line.has_room(now)

    def _fits(self, size: int) -> bool:
        return self._budget is None or self._budget.fits(size)

    def spend(self, batches: Sequence[OutboxBatch], now: float) -> None:
        """Counts a request with these batches."""
        if self._line is None and self._budget is None:
            return
        size = self.wire.request(batches)
        if self._line:
            self._line.take(size, now)
        if self._heartbeats and all(batch.envelope.kind == Kind.HEARTBEATS for batch in batches):
            self._heartbeats.take(size, now)
        if self._budget:
            self._budget.spend(size)

    def next_change(self, now: float) -> float:
        """Says when more may go; infinity if all may now."""
        if self.is_day_spent and self._budget:
            return self._budget.renewed_at(now)
        return now + self._line.seconds_to_room(now) if self._line and not self._line.has_room(now) else float("inf")


def of_day(limits: Limits, section: Section, today: date) -> Iterator[Finding]:
    """Yields how much of the day's bytes a gateway had sent when it stopped, if there is a bound."""
    known = json.loads(section.get() or b"{}")
    if limits.max_bytes_per_day and known.get("day") == today.isoformat():
        text = f"{known['bytes']} of the {limits.max_bytes_per_day} bytes of today (UTC) have gone"
        is_spent = known["bytes"] > limits.max_bytes_per_day * (1 - 2 * _SHARE)
        advice = "only events and heartbeats go until midnight UTC, or raise uplink.limits.max_bytes_per_day"
        yield Finding("uplink", Status.WARN, text, advice) if is_spent else Finding("uplink", Status.OK, text)


def unlimited() -> Allowance:
    """Returns one that lets everything go."""
    return Allowance(Limits(), Wire(0, lambda batch: len(batch.body)), Section(SECTION), lambda: datetime.max.replace(tzinfo=UTC))


class _Bucket:
    """Is a token bucket in bytes that may fall below nought: a request goes if there is anything, and its size is waited for after it."""

    def __init__(self, rate: float, seconds: float) -> None:
        self._rate, self._most, self._least = rate, rate * seconds, -rate * _DEBT_SECONDS
        self._bytes, self._at = self._most, 0.0

    def has_room(self, now: float) -> bool:
        self._fill(now)
        return self._bytes > 0

    def take(self, size: int, now: float) -> None:
        self._fill(now)
        self._bytes = max(self._bytes - size, self._least)

    def seconds_to_room(self, now: float) -> float:
        self._fill(now)
        return max(0.0, (1 - self._bytes) / self._rate)

    def _fill(self, now: float) -> None:
        self._bytes, self._at = min(self._bytes + self._rate * max(now - self._at, 0.0), self._most), now


class _Budget:
    """Counts the bytes of a day. A clock that shows an earlier day, or is set back, ends none; then it ends after 24 hours."""

    def __init__(self, limit: int, section: Section, day: SteadyDay) -> None:
        known = json.loads(section.get() or b"{}")
        self._day = date.fromisoformat(known["day"]) if known else date.min
        self.bytes = DayBytes(int(known.get("bytes", 0)), limit)
        self._section, self._steady = section, day
        self._begun: float | None = None

    def turn(self, now: float) -> None:
        if self._begun is None:
            self._begun = now
        today = self._steady.today(now)
        if today > self._day or (today < self._day and now - self._begun >= DAY_SECONDS):
            if self.bytes.are_spent:
                _log.info("uplink: a new day's %d bytes may go", self.bytes.limit)
            self._day, self._begun, self.bytes = today, now, DayBytes(0, self.bytes.limit)

    def fits(self, size: int) -> bool:
        """Says whether a request of this size may go that is not free; none may after the first that does not.

        A batch larger than a day's bytes goes as its day begins: else it would wait for ever.
        """
        has_begun = self.bytes.spent > self.bytes.limit * _SHARE
        if has_begun and not self.bytes.are_spent and self.bytes.spent + size > self.bytes.limit * (1 - _SHARE):
            self._close()
        return not self.bytes.are_spent

    def spend(self, size: int) -> None:
        self.bytes = replace(self.bytes, spent=self.bytes.spent + size)
        self._section.set("", json.dumps({"day": self._day.isoformat(), "bytes": self.bytes.spent}).encode())

    def _close(self) -> None:
        self.bytes = replace(self.bytes, are_spent=True)
        _log.warning(
            "uplink: %d of the %d bytes of uplink.limits.max_bytes_per_day have gone; "
            "only events and heartbeats go until midnight UTC, the others wait in the store",
            self.bytes.spent,
            self.bytes.limit,
        )

    def renewed_at(self, now: float) -> float:
        return now + self._steady.seconds_left(now)
