"""Gives summaries of states and counters their points: what the cloud needs to put windows together and to read off them. Pure.

A value is left out only where nothing can lie between its neighbours and it: the sensor numbered all three in a row, in one run. Then what
is read off the points is what is read off all readings, whatever comes late. Without numbers every value is a point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from edge.channels import ChannelKind
from edge.reading import Reading
from edge.settings.sensors import Sensors
from edge.summaries.last_points import LastPoints
from edge.summaries.summarise import MAX_POINTS, MAX_SEQ_RANGES, summaries
from edge.window import Window
from schemas.envelope import micros
from schemas.points import Point, union
from schemas.records import Summary


class _Read(NamedTuple):
    """Holds a value, and by which number of which run of its sensor it came. In order of time."""

    time_us: int
    value: float
    boot: str
    seq: int

    def is_followed_by(self, other: _Read) -> bool:
        """Says whether no reading can lie between them."""
        return 0 <= self.seq == other.seq - 1 and self.boot == other.boot


def summarised(window: Window, sensors: Sensors | None, last: LastPoints) -> Iterator[tuple[Window, list[Summary]]]:
    """Yields the parts of a window with their summaries, states and counters with points, and gives the window its inputs."""
    units = sensors.units if sensors else {}
    if sensors is None or not sensors.kinds:
        yield from ((part, summaries(part, units)) for part in window.parts(MAX_SEQ_RANGES))
        return
    if sensors.model:
        window.inputs = input_values(window, sensors, last)
    for part in window.parts(MAX_SEQ_RANGES):
        for piece in part.pieces(MAX_POINTS):
            yield piece, with_points(summaries(piece, units), piece, sensors, last)


def with_points(rows: Sequence[Summary], window: Window, sensors: Sensors, last: LastPoints) -> list[Summary]:
    """Returns the rows of a window, those of states and counters with their points."""
    readings = window.readings()
    return [_with_points(row, readings, sensors, last) if row.channel in sensors.kinds else row for row in rows]


def input_values(window: Window, sensors: Sensors, last: LastPoints) -> Mapping[str, float]:
    """Returns what a window's states and counters give a model. To be asked before the window's points are noted."""
    values: dict[str, float] = {}
    readings = window.readings()
    for channel, kind in sensors.kinds.items():
        before = last.before(_key(window.device_id, channel), _meaning(sensors, channel), window.start_us)
        points = union([before] if before else [], (Point(read.time_us, read.value) for read in _reads(readings, channel)))
        if points:
            values |= kind.input_values(channel, points, window.start_us, window.end_us, sensors.factor(channel))
    return values


def _with_points(row: Summary, readings: Sequence[Reading], sensors: Sensors, last: LastPoints) -> Summary:
    kind, start_us = sensors.kinds[row.channel], micros(row.window_start)
    key, meaning = _key(row.device_id, row.channel), _meaning(sensors, row.channel)
    before = last.before(key, meaning, start_us)
    points = _needed(_reads(readings, row.channel), kind)
    if not row.late:
        last.note(key, meaning, points[-1])
    points = [before, *points] if before else points
    return replace(
        row,
        **kind.columns(sensors.factor(row.channel)),
        sketch=(),
        point_offsets_us=tuple(point.time_us - start_us for point in points),
        point_values=tuple(point.value for point in points),
    )


def _reads(readings: Sequence[Reading], channel: str) -> list[_Read]:
    return sorted(
        _Read(reading.event_us, reading.values[channel], reading.boot or "", -1 if reading.seq is None else reading.seq)
        for reading in readings
        if channel in reading.values
    )


def _needed(reads: Sequence[_Read], kind: ChannelKind) -> list[Point]:
    """Leaves out what changes nothing."""
    inner = zip(reads, reads[1:], reads[2:], strict=False)
    needed = [read for before, read, after in inner if not _changes_nothing(before, read, after, kind)]
    return union(Point(read.time_us, read.value) for read in (reads[0], *needed, reads[-1]))


def _changes_nothing(before: _Read, read: _Read, after: _Read, kind: ChannelKind) -> bool:
    in_a_row = before.is_followed_by(read) and read.is_followed_by(after)
    return in_a_row and kind.changes_nothing(before.value, read.value, after.value)


def _key(device_id: str, channel: str) -> str:
    return f"{device_id}/{channel}"


def _meaning(sensors: Sensors, channel: str) -> str:
    """Returns what makes values of a channel comparable: its unit, its kind, and the names of its states."""
    columns = sensors.kinds[channel].columns(sensors.factor(channel))
    return f"{sensors.channels[channel]}/{columns['channel_kind']}/{columns.get('states', '')}"
