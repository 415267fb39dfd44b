"""Makes the summary of a minute's values by arithmetic alone: for loads, which need no gateway."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from schemas import sketch
from schemas.records import Summary


def summary_of(  # noqa: PLR0913 - what differs between summaries
    values: Sequence[float],
    *,
    device_id: str,
    channel: str,
    unit: str,
    window_start: datetime,
    last_time: datetime,
    seq_ranges: tuple[int, ...],
    clock_offset_ms: float | None = None,
) -> Summary:
    """Returns the summary of values, at least one, in the order of their times."""
    mean = sum(values) / len(values)
    return Summary(
        device_id=device_id,
        channel=channel,
        unit=unit,
        window_start=window_start,
        window_seconds=60,
        count=len(values),
        sum=sum(values),
        m2=sum((value - mean) ** 2 for value in values),
        min=min(values),
        max=max(values),
        last=values[-1],
        last_time=last_time,
        seq_ranges=seq_ranges,
        sketch=sketch.of(values),
        late=False,
        time_quality="synced",
        clock_offset_ms=clock_offset_ms,
    )
