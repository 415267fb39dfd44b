"""Summarises a window, channel by channel. Pure; the sums are exact (fsum), so the order of readings does not matter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import fsum
from statistics import median
from typing import Any

from edge.reading import Reading
from edge.window import Window
from schemas import moments, sketch
from schemas.arrow import wire_columns
from schemas.envelope import from_micros, micros
from schemas.intervals import IntervalSet
from schemas.points import Point, known_from, union
from schemas.records import Summary, TimeQuality

MAX_SEQ_RANGES = 1000
"""So many ranges of numbers one summary has at most, so that no sensor makes a row that is larger than a batch."""
MAX_POINTS = 1_000
"""So many points of a state or a counter it has at most, too; a window with more readings is summarised in parts."""

_RANKS: dict[str, int] = {quality: rank for rank, quality in enumerate(TimeQuality)}


def summaries(window: Window, units: Mapping[str, str]) -> list[Summary]:
    """Returns one summary for each channel, in order of channel. A channel without a unit in `units` gets an empty unit."""
    readings = window.readings()
    columns, of_all = _columns(readings), _Provenance(readings)
    partial = _readings_of({channel for channel, values in columns.items() if len(values) < len(readings)}, readings)
    rows = []
    for channel, values in sorted(columns.items()):
        provenance = _Provenance(partial[channel]) if channel in partial else of_all
        rows.append(_summary(window, channel, units.get(channel, ""), values, provenance))
    return rows


def merged(run: Summary, following: Summary) -> Summary:
    """Returns one summary of both, of the same channel and unit, over all the time from the earlier start to the later end.

    The clock's offset is that of the one whose window ends later: of `following`, if both do.
    """
    start, end = min(run.window_start, following.window_start), max(window_end(run), window_end(following))
    latest = max(run, following, key=lambda part: (part.last_time, part.last))
    count, total, m2, low, high = moments.merge(run, following)
    ranges = IntervalSet(run.seq_ranges)
    ranges.update(IntervalSet(following.seq_ranges))
    return replace(
        run,
        window_start=start,
        window_seconds=int((end - start).total_seconds()),
        count=count,
        sum=total,
        m2=m2,
        min=low,
        max=high,
        last=latest.last,
        last_time=latest.last_time,
        seq_ranges=ranges.flat(),
        # A run that an older gateway began has no sketch, and a sketch of a part would pass for that of all.
        sketch=sketch.merged([run.sketch, following.sketch]) if run.sketch and following.sketch else (),
        time_quality=worst([run.time_quality, following.time_quality]),
        clock_offset_ms=(following if window_end(following) >= window_end(run) else run).clock_offset_ms,
        fidelity=max(run.fidelity or 0, following.fidelity or 0) or None,
        **_points(run, following, micros(start)),
    )


def _points(run: Summary, following: Summary, start_us: int) -> dict[str, Any]:
    """Returns the columns with the points of both, nothing of numbers, which have none."""
    if not run.point_values:
        return {}
    points = known_from(union(*(_points_of(part) for part in (run, following))), start_us)
    return {
        "point_offsets_us": tuple(point.time_us - start_us for point in points),
        "point_values": tuple(point.value for point in points),
    }


def _points_of(summary: Summary) -> list[Point]:
    start_us = micros(summary.window_start)
    return [Point(start_us + offset, value) for offset, value in zip(summary.point_offsets_us, summary.point_values, strict=True)]


def window_end(summary: Summary) -> datetime:
    """Returns the end of its window, exclusive."""
    return summary.window_start + timedelta(seconds=summary.window_seconds)


def read(row: Mapping[str, Any]) -> Summary:
    """Returns the summary of a row as a body has it, of an older version too: its missing columns are as those of an older batch."""
    values: dict[str, Any] = {column.name: row.get(column.name) for column in wire_columns(Summary)}
    values |= {column.name: tuple(values[column.name] or ()) for column in wire_columns(Summary) if column.repeated}
    return Summary(**values)


def channel_means(window: Window) -> dict[str, float]:
    """Returns the mean of each channel over the window."""
    return {channel: fsum(values) / len(values) for channel, values in _columns(window.readings()).items()}


def time_quality(readings: Sequence[Reading]) -> str:
    """Returns the worst of the readings' time qualities."""
    return worst({reading.time_quality for reading in readings})


def worst(qualities: Iterable[str]) -> str:
    """Returns the worst of these time qualities; a word that is not known counts as untrusted, as in tinybeam.worst_time_quality."""
    return max((quality if quality in _RANKS else TimeQuality.UNTRUSTED for quality in qualities), key=_RANKS.__getitem__)


def _columns(readings: Sequence[Reading]) -> dict[str, list[float]]:
    """Returns the values of each channel, in the order of the readings."""
    columns = defaultdict[str, list[float]](list)
    for reading in readings:
        for channel, value in reading.values.items():
            columns[channel].append(value)
    return columns


def _readings_of(channels: Collection[str], readings: Sequence[Reading]) -> dict[str, list[Reading]]:
    """Returns the readings that have a value of each of these channels, in one pass however many channels there are."""
    having = dict[str, list[Reading]]((channel, []) for channel in channels)
    for reading in readings if having else ():
        for channel in reading.values:
            if channel in having:
                having[channel].append(reading)
    return having


class _Provenance:
    """Says when readings were measured, by which numbers and how surely; most often the same for each channel of a window."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self.times_us = [reading.event_us for reading in readings]
        self.seq_ranges = IntervalSet.of(reading.seq for reading in readings if reading.seq is not None).flat()
        self.time_quality = time_quality(readings)
        self.clock_offset_ms = _clock_offset(readings)


def _summary(window: Window, channel: str, unit: str, values: Sequence[float], provenance: _Provenance) -> Summary:
    total = fsum(values)
    mean = total / len(values)
    # Equal event times: the greater value, so that arrival order does not matter.
    last_us, last = max(zip(provenance.times_us, values, strict=True))
    return Summary(
        device_id=window.device_id,
        channel=channel,
        unit=unit,
        window_start=from_micros(window.start_us),
        window_seconds=window.seconds,
        count=len(values),
        sum=total,
        m2=fsum((value - mean) ** 2 for value in values),
        min=min(values),
        max=max(values),
        last=last,
        last_time=from_micros(last_us),
        seq_ranges=provenance.seq_ranges,
        sketch=sketch.of(values),
        late=window.late,
        time_quality=provenance.time_quality,
        clock_offset_ms=provenance.clock_offset_ms,
    )


def _clock_offset(readings: Sequence[Reading]) -> float | None:
    offsets = [reading.arrived_us - reading.event_us for reading in readings if reading.sensor_time]
    return median(offsets) / 1000 if offsets else None
