"""Keeps the windows that are worth learning from, within a budget of bytes a day. No I/O.

Which window is worth it depends on the window and its model alone, so whatever restarts in between chooses the same again. How much of the
day's budget is spent belongs to the cut that spends it: the section `samples` must be committed by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from edge.models.bundle import Bundle
from edge.settings.samples import SampleSettings
from edge.store.batch import EncodedBatch
from edge.store.section import Sections
from schemas.envelope import micros
from schemas.records import Inference, Sample, SampleReason

_DAY = timedelta(days=1)
_SMALLEST_ROW = 16
"""No row takes fewer bytes: more rows than fit of these need not be held."""
_ORDER = tuple(SampleReason)

Encode = Callable[[Sequence[Sample]], list[EncodedBatch]]


class _Spent(NamedTuple):
    """Says how many bytes of a day's budget are spent; the day is counted from 1 January of the year 1."""

    day: int = 0
    bytes: int = 0


class Sampling:
    """Holds samples until they are cut.

    Usage: `sampling.look(inference, bundle)` for each verdict, then cut `sampling.batches(encode, now)` with its sections, and
    `sampling.mark_cut()`.
    """

    def __init__(self, settings: SampleSettings, section: Sections) -> None:
        self._settings = settings
        self._section = section("samples")
        self.sections = (self._section,)
        self._spent = self._to_spend = self._section.parsed(_parsed).get("", _Spent())
        self._rows: list[Sample] = []

    def look(self, inference: Inference, bundle: Bundle, shadow_label: str | None = None) -> None:
        """Keeps the window if it is worth it. `shadow_label` is what the model in the shadow says of it, if one runs."""
        if len(self._rows) * _SMALLEST_ROW >= self._settings.max_bytes_per_day:
            return
        if reason := self._reason(inference, bundle, shadow_label):
            self._rows.append(_sample(inference, reason))

    def batches(self, encode: Encode, now: datetime) -> list[EncodedBatch]:
        """Encodes as many samples as the day has room for, those of the best reasons first. The others are given up."""
        day, left = now.toordinal(), self._left(now)
        rows = sorted(self._rows, key=lambda row: _ORDER.index(SampleReason(row.reason)))
        while rows and left > 0:
            batches = encode(rows)
            size = sum(len(batch.body) for batch in batches)
            if size <= left:
                self._to_spend = _Spent(day, self._spent_on(day) + size)
                self._section.set("", b"%d %d" % self._to_spend)
                return batches
            rows = rows[: min(len(rows) - 1, len(rows) * left // size)]
        return []

    def mark_cut(self) -> None:
        """Notes that the batches are cut."""
        self._rows, self._spent = [], self._to_spend

    def _spent_on(self, day: int) -> int:
        return self._spent.bytes if self._spent.day == day else 0

    def _left(self, now: datetime) -> int:
        """Returns the bytes that the hours of this day have brought and that are not spent yet."""
        passed = now - now.replace(hour=0, minute=0, second=0, microsecond=0)
        return int(self._settings.max_bytes_per_day * (passed / _DAY)) - self._spent_on(now.toordinal())

    def _reason(self, inference: Inference, bundle: Bundle, shadow_label: str | None) -> SampleReason | None:
        if self._is_drawn(inference):
            return SampleReason.RANDOM
        if shadow_label is not None and shadow_label != inference.label:
            return SampleReason.SHADOW
        if _is_outside(inference.features, bundle.reference):
            return SampleReason.OUTSIDE
        if any(abs(inference.score - each) < self._settings.uncertain_within * inference.uncertainty for each in bundle.thresholds):
            return SampleReason.UNCERTAIN
        return None

    def _is_drawn(self, inference: Inference) -> bool:
        one_in = self._settings.random_one_in
        window = f"{inference.device_id}/{inference.model_sha256}/{micros(inference.window_start)}".encode()
        return bool(one_in) and int.from_bytes(blake2b(window, digest_size=8).digest()) % one_in == 0


def _parsed(value: bytes) -> _Spent:
    day, spent = map(int, value.split())
    return _Spent(day, spent)


def _is_outside(features: Sequence[float], reference: Sequence[Sequence[float]]) -> bool:
    """Says whether an input lies beyond the least or the greatest that the model was trained on. Without a reference none does."""
    return any(not low <= feature <= high for feature, (low, *_, high) in zip(features, reference, strict=False))


def _sample(inference: Inference, reason: SampleReason) -> Sample:
    return Sample(
        device_id=inference.device_id,
        window_start=inference.window_start,
        window_seconds=inference.window_seconds,
        model=inference.model,
        model_version=inference.model_version,
        model_sha256=inference.model_sha256,
        label=inference.label,
        score=inference.score,
        uncertainty=inference.uncertainty,
        features=inference.features,
        reason=reason,
        time_quality=inference.time_quality,
    )
