"""Report on change: while a channel stays within its deadband its windows are held, and sent as one summary of them all.

The reference is the mean of what was sent last. A window of which every value lies within +-deadband of it is held; one that leaves the
band is sent at once, after what was held before it. A held run is contiguous, lies within one hour, is no longer than hold_seconds, and
has one unit, one time quality, and sensor numbers that ascend. Nothing is left out: every reading is in exactly one summary sent.
Pure; time is event time. `changed` is memory not stored yet: it belongs in the transaction that closes the windows it came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import msgspec

from edge.summaries.summarise import added
from schemas.arrow import wire_columns
from schemas.envelope import micros
from schemas.records import Inference, Summary

_RUN, _VERDICT = "held", "verdict"
_HOUR = 3600
_SECOND = 1_000_000


class CountedSummary(NamedTuple):
    """A summary to be sent, and how many readings are first told of by it."""

    summary: Summary
    readings: int


@dataclass(frozen=True, slots=True)
class PendingSummary:
    """Of one channel. `run` is None if nothing is held; `step` is the length of its last window in seconds."""

    reference: float
    deadband: float
    step: int
    run: CountedSummary | None = None

    def pack(self) -> bytes:
        run = (asdict(self.run.summary), self.run.readings) if self.run else None
        return msgspec.msgpack.encode((self.reference, self.deadband, self.step, run))

    @classmethod
    def unpack(cls, packed: bytes) -> PendingSummary:
        """Also what a gateway of an older schema packed: its missing columns are as those of an older batch."""
        reference, deadband, step, run = msgspec.msgpack.decode(packed)
        return cls(reference, deadband, step, CountedSummary(_summary(run[0]), run[1]) if run else None)

    def continues(self, summary: Summary, deadband: float) -> bool:
        """Whether the window may follow the run, whatever its values are. A run that reaches the end of its hour is sent before."""
        if self.run is None or self.deadband != deadband:
            return False
        run = self.run.summary
        numbers = run.seq_ranges[-1:] + summary.seq_ranges[:1]
        return (
            _end(run) == micros(summary.window_start)
            and (run.unit, run.time_quality) == (summary.unit, summary.time_quality)
            and (len(numbers) < 2 or numbers[0] < numbers[1])
        )

    def extended(self, told: CountedSummary) -> PendingSummary:
        run = CountedSummary(added(self.run.summary, told.summary), self.run.readings + told.readings) if self.run else told
        return replace(self, run=run, step=told.summary.window_seconds)

    def sent(self) -> PendingSummary:
        """As it is once the run is on its way."""
        return replace(self, run=None, reference=_mean(self.run.summary)) if self.run else self


class Deadbands:
    """What a gateway holds back, by channel, and what it said last, by model."""

    def __init__(self, memory: Mapping[str, bytes]) -> None:
        """`memory` is the store's; other names in it are none of ours."""
        self._held = {name: PendingSummary.unpack(packed) for name, packed in memory.items() if name.startswith(f"{_RUN}/")}
        self._said = {name: packed for name, packed in memory.items() if name.startswith(f"{_VERDICT}/")}
        self.changed: dict[str, bytes | None] = {}

    def take(self, told: CountedSummary, deadband: float, hold_seconds: int) -> Iterator[CountedSummary]:
        """What is to be sent once this window has closed, in order. Windows of a channel come in the order of their ends, none late."""
        name = f"{_RUN}/{told.summary.device_id}/{told.summary.channel}"
        held = self._held.get(name) or PendingSummary(float("nan"), deadband, told.summary.window_seconds)
        if not held.continues(told.summary, deadband):
            yield from _run(held)
            held = replace(held.sent(), deadband=deadband)
        if _within(held, told.summary):
            held = held.extended(told)
            if _is_full(held, hold_seconds):
                yield from _run(held)
                held = held.sent()
        else:
            yield from _run(held)
            yield told
            held = PendingSummary(_mean(told.summary), deadband, told.summary.window_seconds)
        self._keep(name, held)

    def expired(self, watermark_us: int) -> Iterator[CountedSummary]:
        """Runs that no window can follow any more: the one that would has closed without a reading, or is not held any more."""
        for name, held in list(self._held.items()):
            if held.run and _end(held.run.summary) + held.step * _SECOND <= watermark_us:
                yield from self._release(name, held)

    def all(self) -> Iterator[CountedSummary]:
        """Every run, for a clean stop."""
        for name, held in list(self._held.items()):
            if held.run:
                yield from self._release(name, held)

    def is_news(self, inference: Inference, deadband: float, hold_seconds: int) -> bool:
        """Whether it says another label than the last one that was news, moved by more than the deadband, or comes hold_seconds later."""
        if not deadband:
            return True
        name = f"{_VERDICT}/{inference.device_id}/{inference.model}"
        sha256, label, score, start_us = msgspec.msgpack.decode(self._said[name]) if name in self._said else ("", "", 0.0, 0)
        same = (sha256, label) == (inference.model_sha256, inference.label) and abs(inference.score - score) <= deadband
        now_us = micros(inference.window_start)
        if same and abs(now_us - start_us) < hold_seconds * _SECOND:
            return False
        said = (inference.model_sha256, inference.label, inference.score, now_us)
        self._said[name] = self.changed[name] = msgspec.msgpack.encode(said)
        return True

    def stored(self) -> None:
        """The changed memory is in the store."""
        self.changed = {}

    def _release(self, name: str, held: PendingSummary) -> Iterator[CountedSummary]:
        yield from _run(held)
        self._keep(name, held.sent())

    def _keep(self, name: str, held: PendingSummary) -> None:
        self._held[name] = held
        self.changed[name] = held.pack()


def _run(held: PendingSummary) -> Iterator[CountedSummary]:
    if held.run:
        yield held.run


def _within(held: PendingSummary, summary: Summary) -> bool:
    """Whether it may be held. Not a window that lies in two hours: no hourly rollup would take it."""
    low, high = held.reference - held.deadband, held.reference + held.deadband
    return low <= summary.min and summary.max <= high and _hour(summary) == (_end(summary) - 1) // (_HOUR * _SECOND)


def _is_full(held: PendingSummary, hold_seconds: int) -> bool:
    assert held.run
    summary = held.run.summary
    return summary.window_seconds + held.step > hold_seconds or _end(summary) % (_HOUR * _SECOND) == 0


def _mean(summary: Summary) -> float:
    return summary.sum / summary.count


def _end(summary: Summary) -> int:
    return micros(summary.window_start) + summary.window_seconds * _SECOND


def _hour(summary: Summary) -> int:
    return micros(summary.window_start) // (_HOUR * _SECOND)


def _summary(held: Mapping[str, Any]) -> Summary:
    found: dict[str, Any] = {column.name: held.get(column.name) for column in wire_columns(Summary)}
    found |= {column.name: tuple(found[column.name] or ()) for column in wire_columns(Summary) if column.repeated}
    return Summary(**found)
