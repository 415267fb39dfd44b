"""Reports by exception: while a channel stays within its deadband its windows are pending, and sent as one summary of them all.

The reference is the mean of what was sent last. A window of which every value lies within +-deadband of it is pending; one that leaves the
band is sent at once, after the run that was pending before it. A run is contiguous, lies within one hour, is no longer than hold_seconds,
and has one unit, one time quality, and sensor numbers that ascend. Nothing is left out: every reading is in exactly one summary sent.
Pure; time is event time. The sections must be committed by the cut that closes the windows they came from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import msgspec

from edge.store.section import Sections
from edge.summaries.summarise import MAX_SEQ_RANGES, merged, read
from schemas.envelope import micros
from schemas.records import Inference, Summary

_HOUR = 3600
_SECOND = 1_000_000


class CountedSummary(NamedTuple):
    """Holds a summary to be sent, and how many readings leave the journal with it: those of a window count in its first channel alone."""

    summary: Summary
    readings: int


@dataclass(frozen=True, slots=True)
class PendingSummary:
    """Holds the run of one channel, None if no window is pending; `step` is the length of its last window in seconds."""

    reference: float
    deadband: float
    step: int
    run: CountedSummary | None = None

    def pack(self) -> bytes:
        run = (_filled(self.run.summary), self.run.readings) if self.run else None
        return msgspec.msgpack.encode((self.reference, self.deadband, self.step, run))

    @classmethod
    def unpack(cls, packed: bytes) -> PendingSummary:
        """Reads what `pack` wrote, also of an older schema: its missing columns are as those of an older batch."""
        reference, deadband, step, run = msgspec.msgpack.decode(packed)
        return cls(reference, deadband, step, CountedSummary(read(run[0]), run[1]) if run else None)

    def continues(self, summary: Summary, deadband: float) -> bool:
        """Says whether the window may follow the run, whatever its values are. A run that reaches the end of its hour is sent before."""
        if self.run is None or self.deadband != deadband:
            return False
        run = self.run.summary
        numbers = run.seq_ranges[-1:] + summary.seq_ranges[:1]
        return (
            _end(run) == micros(summary.window_start)
            and (run.unit, run.time_quality) == (summary.unit, summary.time_quality)
            and (len(numbers) < 2 or numbers[0] < numbers[1])
            and len(run.seq_ranges) + len(summary.seq_ranges) <= 2 * MAX_SEQ_RANGES
        )

    def extended(self, window: CountedSummary) -> PendingSummary:
        run = CountedSummary(merged(self.run.summary, window.summary), self.run.readings + window.readings) if self.run else window
        return replace(self, run=run, step=window.summary.window_seconds)

    def sent(self) -> PendingSummary:
        """Returns it as it is once the run is on its way."""
        return replace(self, run=None, reference=_mean(self.run.summary)) if self.run else self


class Deadbands:
    """Keeps the pending summaries of a gateway, by channel, and its last inferences that were news, by model.

    Once `max_bytes` are full of them, windows of further channels are sent at once.
    """

    def __init__(self, section: Sections, max_bytes: int = 32 << 20) -> None:
        self._max_bytes = max_bytes
        self._runs, self._verdicts = self.sections = section("held"), section("verdict")
        self._pending = self._runs.parsed(PendingSummary.unpack)
        self._verdicts.parsed(msgspec.msgpack.decode)

    @property
    def changed(self) -> bool:
        """Says whether there is anything to commit."""
        return any(section.changed for section in self.sections)

    @property
    def readings(self) -> int:
        """Says how many readings are held back."""
        return sum(pending.run.readings for pending in self._pending.values() if pending.run)

    def add(self, window: CountedSummary, deadband: float, hold_seconds: int) -> Iterator[CountedSummary]:
        """Yields what is to be sent once this window has closed. A channel's windows come in the order of their ends, none late."""
        key = f"{window.summary.device_id}/{window.summary.channel}"
        has_room = self._runs.bytes < self._max_bytes
        if not has_room and key not in self._pending:
            yield window
            return
        pending = self._pending.get(key) or PendingSummary(float("nan"), deadband, window.summary.window_seconds)
        if not pending.continues(window.summary, deadband):
            yield from _run(pending)
            pending = replace(pending.sent(), deadband=deadband)
        if has_room and _within(pending, window.summary):
            pending = pending.extended(window)
            if _is_full(pending, hold_seconds):
                yield from _run(pending)
                pending = pending.sent()
        else:
            yield from _run(pending)
            yield window
            pending = PendingSummary(_mean(window.summary), deadband, window.summary.window_seconds)
        self._keep(key, pending)

    def release_expired(self, is_over: Callable[[str, int], bool]) -> Iterator[CountedSummary]:
        """Yields runs that no window can follow any more: the one that would has closed without a reading, or has no deadband any more.

        `is_over` says of a device whether no window of it that ends then is to come.
        """
        for key, pending in list(self._pending.items()):
            if pending.run and is_over(pending.run.summary.device_id, _end(pending.run.summary) + pending.step * _SECOND):
                yield from self._release(key, pending)

    def release_all(self) -> Iterator[CountedSummary]:
        """Yields every run, for a clean stop."""
        for key, pending in list(self._pending.items()):
            if pending.run:
                yield from self._release(key, pending)

    def forget(self, devices: Collection[str]) -> None:
        """Forgets what was sent last of these devices. A run that waits is kept: it holds readings."""
        waiting = {key.partition("/")[0] for key, pending in self._pending.items() if pending.run}
        for section in self.sections:
            section.forget(set(devices) - waiting)
        self._pending = {key: pending for key, pending in self._pending.items() if self._runs.get(key) is not None}

    def is_news(self, inference: Inference, deadband: float, hold_seconds: int) -> bool:
        """Says whether its label is another than that of the last news, its score moved by more than the deadband, or time is up."""
        if not deadband:
            return True
        key = f"{inference.device_id}/{inference.model}"
        packed = self._verdicts.get(key)
        sha256, label, score, start_us = msgspec.msgpack.decode(packed) if packed else ("", "", 0.0, 0)
        same = (sha256, label) == (inference.model_sha256, inference.label) and abs(inference.score - score) <= deadband
        now_us = micros(inference.window_start)
        if same and abs(now_us - start_us) < hold_seconds * _SECOND:
            return False
        self._verdicts.set(key, msgspec.msgpack.encode((inference.model_sha256, inference.label, inference.score, now_us)))
        return True

    def _release(self, key: str, pending: PendingSummary) -> Iterator[CountedSummary]:
        yield from _run(pending)
        self._keep(key, pending.sent())

    def _keep(self, key: str, pending: PendingSummary) -> None:
        self._pending[key] = pending
        self._runs.set(key, pending.pack())


def _run(pending: PendingSummary) -> Iterator[CountedSummary]:
    if pending.run:
        yield pending.run


def _within(pending: PendingSummary, summary: Summary) -> bool:
    """Says whether the window may be pending. One that lies in two hours may not: no hourly rollup would take it."""
    low, high = pending.reference - pending.deadband, pending.reference + pending.deadband
    return low <= summary.min and summary.max <= high and _hour(summary) == (_end(summary) - 1) // (_HOUR * _SECOND)


def _is_full(pending: PendingSummary, hold_seconds: int) -> bool:
    assert pending.run
    summary = pending.run.summary
    return summary.window_seconds + pending.step > hold_seconds or _end(summary) % (_HOUR * _SECOND) == 0


def _mean(summary: Summary) -> float:
    return summary.sum / summary.count


def _filled(summary: Summary) -> dict[str, Any]:
    """Returns the columns that have a value: `read` puts the others in again."""
    return {name: value for name, value in asdict(summary).items() if value not in (None, ())}


def _end(summary: Summary) -> int:
    return micros(summary.window_start) + summary.window_seconds * _SECOND


def _hour(summary: Summary) -> int:
    return micros(summary.window_start) // (_HOUR * _SECOND)
