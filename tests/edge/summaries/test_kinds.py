"""Points of states and counters: however a window's readings come in parts, what is read off is what the raw readings say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.reading import Reading
from edge.settings.sensors import Sensors
from edge.store.section import Section
from edge.summaries.kinds import summarised
from edge.summaries.last_points import LastPoints
from edge.summaries.summarise import MAX_POINTS
from edge.summaries.thin import thinned
from edge.window import Window
from schemas.envelope import micros
from schemas.points import LONGEST_GAP_US, Point, Stay, increase, stays, union
from schemas.records import Summary
from tests.edge.gateways import config
from tests.raw_readings import Raw, rise, seconds_in, times_entered

KINDS = {"door": {"kind": "state", "values": ["closed", "open"]}, "count": {"kind": "counter", "wraps_at": 20.0}}
CLASS = {"name": "s", "devices": ["d*"], "channels": {"door": "", "count": "l", "level": "m"}, "kinds": KINDS}
START, END = 3_600_000_000, 3_660_000_000


def sensors() -> Sensors:
    return config(Path(), sensors=[CLASS]).sensors[0]


def window(readings: Iterable[Reading], start: int = START, *, late: bool = False) -> Window:
    made = Window("d1", start, 60, late)
    for reading in readings:
        made.add(reading)
    return made


def rows(window: Window, last: LastPoints) -> list[Summary]:
    return [row for _, rows in summarised(window, sensors(), last) for row in rows]


def points_of(found: Iterable[Summary], channel: str) -> list[Point]:
    return union(*(points(row) for row in found if row.channel == channel))


def points(row: Summary) -> list[Point]:
    start = micros(row.window_start)
    return [Point(start + offset, value) for offset, value in zip(row.point_offsets_us, row.point_values, strict=True)]


@st.composite
def sent(draw: st.DrawFn) -> list[Reading]:
    """What a sensor sent: times ascend with its numbers, or it has none; it may restart."""
    gaps = draw(st.lists(st.integers(1, 9), min_size=1, max_size=14))
    numbered, at, boot = draw(st.booleans()), START - 1_000_000, 0
    readings = []
    for number, gap in enumerate(gaps):
        at += gap * 1_000_000
        boot += draw(st.integers(0, 9)) == 0
        if at >= END:
            break
        values = {"door": float(draw(st.sampled_from([0, 0, 1]))), "count": float(draw(st.integers(0, 19))), "level": 1.0}
        readings.append(Reading("d1", at, at, "synced", f"b{boot}", number if numbered else None, True, values))
    return readings


@given(sent(), st.randoms(use_true_random=False))
def test_parts_of_a_window_in_any_order_say_what_its_raw_readings_say(readings: list[Reading], rng: Random) -> None:
    last, parts = LastPoints(Section), rng.randint(1, 4)
    of_parts = [[reading for reading in readings if rng.randrange(parts) == part] for part in range(parts)]
    some = [part for part in of_parts if part]
    heard = [reading for part in some for reading in part]
    found = [row for number, part in enumerate(some) for row in rows(window(part, late=number > 0), last)]
    doors, counts = ([Raw(reading.event_us, reading.values[name]) for reading in heard] for name in ("door", "count"))
    if not heard:
        return
    told = stays(points_of(found, "door"), START, END)
    for state in (0.0, 1.0):
        stay = told.get(state, Stay())
        assert (stay.us / 1e6, stay.entered) == (seconds_in(doors, START, END, state), times_entered(doors, START, END, state))
    rose = increase(points_of(found, "count"), START, 20.0)
    assert (rose and rose[:2]) == rise(counts, START, END, 20.0)


def readings(values: Iterable[float], channel: str, start: int = START, seq: int | None = 0) -> list[Reading]:
    return [
        Reading("d1", start + at * 1_000_000, start, "synced", "b", None if seq is None else seq + at, True, {channel: value})
        for at, value in enumerate(values)
    ]


def test_what_changes_nothing_between_numbers_in_a_row_is_left_out_and_without_numbers_nothing_is() -> None:
    (row,) = rows(window(readings([0, 0, 0, 1, 1, 1, 1, 0], "door")), LastPoints(Section))
    assert row.point_offsets_us == (0, 2_000_000, 3_000_000, 6_000_000, 7_000_000)
    (row,) = rows(window(readings([0, 0, 0, 1], "door", seq=None)), LastPoints(Section))
    assert len(row.point_values) == 4
    (row,) = rows(window(readings([1, 2, 5, 3, 4, 9], "count")), LastPoints(Section))
    assert row.point_values == (1, 5, 3, 9)


def test_a_number_channel_stays_as_it_was() -> None:
    (row,) = rows(window(readings([1, 2], "level")), LastPoints(Section))
    assert (row.channel_kind, row.point_values, row.count) == (None, (), 2)
    assert row.sketch


def test_a_window_begins_with_what_the_one_before_ended_with_also_after_a_restart() -> None:
    stored = Section("points")
    first = LastPoints(lambda _: stored)
    rows(window(readings([3, 7], "count")), first)
    again = LastPoints(lambda _: Section("points", stored.items()))
    (row,) = rows(window(readings([9], "count", END), END), again)
    assert (row.point_offsets_us, row.point_values, row.wraps_at) == ((-59_000_000, 0), (7, 9), 20.0)


def test_a_late_window_does_not_move_what_was_last() -> None:
    last = LastPoints(Section)
    rows(window(readings([7], "count", END), END), last)
    (row,) = rows(window(readings([5], "count"), late=True), last)
    assert row.point_values == (5,)
    (row,) = rows(window(readings([9], "count", END + 60_000_000), END + 60_000_000), last)
    assert row.point_values == (7, 9)


def test_what_was_long_ago_or_meant_something_else_is_not_before() -> None:
    last = LastPoints(Section)
    last.note("d1/a", "l", Point(START, 1.0))
    assert last.before("d1/a", "l", START + LONGEST_GAP_US) == Point(START, 1.0)
    assert last.before("d1/a", "l", START + LONGEST_GAP_US + 1) is None
    assert last.before("d1/a", "m3", END) is None
    assert last.before("d1/a", "l", START) is None


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    last = LastPoints(Section, max_bytes=1_000)
    for number in range(200):
        last.note(f"d{number}/a", "l", Point(START, 1.0))
    assert last.section.bytes <= 1_000
    assert last.before("d0/a", "l", END) is None
    assert last.before("d199/a", "l", END)


def test_a_flood_is_several_rows_none_of_which_is_larger_than_a_batch() -> None:
    flood = readings([number % 2 for number in range(2 * MAX_POINTS + 1)], "door", seq=None)
    found = rows(window(flood), LastPoints(Section))
    assert [row.count for row in found] == [MAX_POINTS, MAX_POINTS, 1]


@pytest.mark.parametrize("channel", ["door", "count"])
def test_what_is_thinned_says_of_all_its_time_what_its_parts_said(channel: str) -> None:
    last, rng = LastPoints(Section), Random(3)
    minutes = [
        readings([rng.choice([0, 1, 5 if channel == "count" else 1]) for _ in range(9)], channel, START + at * 60_000_000, 9 * at)
        for at in range(5)
    ]
    of_minutes = [row for at, one in enumerate(minutes) for row in rows(window(one, START + at * 60_000_000), last)]
    (whole,) = thinned([asdict(row) for row in of_minutes], 900)
    raw = [Raw(reading.event_us, reading.values[channel]) for one in minutes for reading in one]
    if channel == "count":
        rose = increase(points(whole), START)
        assert (rose and rose[:2]) == rise(raw, START, START + 300_000_000)
    else:
        seconds = {state: stay.us / 1e6 for state, stay in stays(points(whole), START, START + 300_000_000).items()}
        assert seconds == {state: seconds_in(raw, START, START + 300_000_000, state) for state in (0.0, 1.0)}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"deadband": {"door": 0.5}}, "deadband: 'door' is a state, and it has no mean that could stay"),
        (
            {"thresholds": [{"name": "t", "channel": "door", "above": 0.5}]},
            "thresholds: 'door' is a state, and it is neither below nor above a limit",
        ),
        ({"thresholds": [{"name": "t", "channel": "count", "above": 5.0}]}, "thresholds: 'count' is a counter, and it only rises"),
        ({"deadband": {"count": 1.0}}, "deadband: 'count' is a counter, and it only rises"),
        ({"valid_max": {"door": 1.0}}, "valid_max: 'door' is a state, and its values are the states that it names"),
        ({"payload": {"scale": {"door": 2.0}}}, "payload.scale: 'door' is a state, and it is no number"),
        ({"payload": {"offset": {"count": 2.0}}}, "payload.offset: 'count' is a counter, and only what it rises by counts"),
        ({"payload": {"scale": {"count": -1.0}}}, "payload.scale.count: it is a counter, which a scale below 0 would turn round"),
        ({"kinds": {"flow": {"kind": "counter"}}}, "kinds.flow: 'flow' is not one of the class's channels: door, count, level"),
        ({"kinds": {"door": {"kind": "state", "values": ["a", "a"]}}}, "kinds.door.values: a state stands twice"),
        (
            {"kinds": {"door": {"kind": "state", "values": ["a"], "words": {"on": "b"}}}},
            "kinds.door.words.on: 'b' is not among values: a",
        ),
        ({"kinds": {"door": {"kind": "gauge"}}}, "kinds.door.kind must be one of"),
        ({"kinds": {"door": {"kind": "state", "values": ["a,b"]}}}, "kinds.door.values[1] must be letters, digits"),
        ({"kinds": {"count": {"kind": "counter", "wraps_at": 0}}}, "kinds.count.wraps_at must be greater than 0"),
    ],
)
def test_what_makes_no_sense_for_a_kind_is_refused_by_name(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - a ConfigError, whose sentence is held below
        config(Path(), sensors=[{**CLASS, **change}])
    assert f"sensors[1].{sentence}" in str(refused.value)
