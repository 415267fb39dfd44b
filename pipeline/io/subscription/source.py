"""Reads a subscription on any engine that knows splittable steps, as messages with the ids by which their sink acknowledges them.

At least once, in no order. The step itself acknowledges nothing: an engine may say that a bundle is done long before its rows are written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.io.watermark_estimators import ManualWatermarkEstimator
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Duration, Timestamp

from pipeline.elements import ReceivedMessage
from pipeline.io.subscription.puller import Puller

MOST_TOGETHER = 4_000
"""So many messages a bundle has at most."""
_WAIT_SECONDS = 0.05
_PAUSE_SECONDS = 0.05


class FromPulls(beam.PTransform):
    """Reads messages: `pipeline | FromPulls(puller)`, where `puller()` gives that of the process."""

    def __init__(self, puller: Callable[[], Puller]) -> None:
        super().__init__()
        self._puller = puller

    def expand(self, root: PBegin) -> PCollection[ReceivedMessage]:
        return root | beam.Impulse() | "Pull" >> beam.ParDo(Pull(self._puller)).with_output_types(ReceivedMessage)


class _WholeTracker(OffsetRestrictionTracker):
    """Counts takes; ends when asked to, and is never split: readers of one subscription in one process share its puller anyway."""

    def try_split(self, fraction_of_remainder: float) -> tuple[OffsetRange, OffsetRange] | None:
        return super().try_split(0.0) if fraction_of_remainder == 0 else None

    def is_bounded(self) -> bool:
        return False


class _Endless(RestrictionProvider):
    def create_tracker(self, restriction: OffsetRange) -> _WholeTracker:
        return _WholeTracker(restriction)

    def initial_restriction(self, element: Any) -> OffsetRange:
        return OffsetRange(0, sys.maxsize)

    def restriction_size(self, element: Any, restriction: OffsetRange) -> int:
        return 1

    def truncate(self, element: Any, restriction: OffsetRange) -> None:
        """A drained source takes no more."""


class Pull(beam.DoFn):
    """Passes on what was pulled, again and again."""

    def __init__(self, puller: Callable[[], Puller]) -> None:
        self._puller = puller

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        impulse: bytes,
        tracker: Any = beam.DoFn.RestrictionParam(_Endless()),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(ManualWatermarkEstimator.default_provider()),
    ) -> Iterator[TimestampedValue]:
        if not tracker.try_claim(tracker.current_restriction().start):
            return
        puller = self._puller()
        puller.start()
        messages = puller.take(MOST_TOGETHER, _WAIT_SECONDS)
        for message in messages:
            yield TimestampedValue(message, message.received_time.timestamp())
        watermark.set_watermark(Timestamp.of(puller.watermark()))
        tracker.defer_remainder(Duration.of(0 if messages else _PAUSE_SECONDS))
