"""Windows: each reading in exactly one, closed when the watermark reaches its end."""

from __future__ import annotations

import tracemalloc
from collections import defaultdict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.reading import Bands, Reading
from edge.window import PACKED_TOGETHER, Window, WindowedReadings, pack, unpack
from edge.windows import Windows

S = 1_000_000


def reading(at: int, device: str = "d1") -> Reading:
    return Reading(device, at, at, "synced", None, None, True, {"a": 1.0})


def add(windows: Windows, reading: Reading) -> None:
    ((due_us, windowed),) = windows.assign([reading])
    windows.add(windowed, due_us)


def test_a_window_includes_its_start_and_not_its_end() -> None:
    windows = Windows(10, 0, -(10**18))
    for at in (0, 10 * S - 1, 10 * S):
        add(windows, reading(at))
    (window,) = windows.advance(10 * S)
    assert (window.start_us, window.end_us, [one.event_us for one in window.readings()]) == (0, 10 * S, [0, 10 * S - 1])
    assert len(windows) == 1


def test_a_window_waits_for_the_grace() -> None:
    windows = Windows(10, 5, -(10**18))
    add(windows, reading(0))
    assert windows.advance(15 * S - 1) == []
    assert len(windows.advance(15 * S)) == 1


def test_the_watermark_never_goes_back() -> None:
    windows = Windows(10, 0, -(10**18))
    windows.advance(100 * S)
    windows.advance(0)
    assert windows.watermark_us == 100 * S


@given(st.lists(st.integers(-(10**17), 10**17), max_size=20), st.integers(0, 10**9))
def test_whatever_the_clock_did_a_window_of_now_is_neither_late_nor_kept_waiting(clock: list[int], now: int) -> None:
    windows, marks = Windows(10, 3, -(10**18)), []
    for at in [*clock, now]:
        windows.advance(at)
        marks.append(windows.watermark_us)
    assert marks == sorted(marks)
    ((due_us, windowed),) = windows.assign([reading(now)])
    windows.add(windowed, due_us)
    end = now - now % (10 * S) + 10 * S
    assert not windowed.late
    assert list(windows.advance(end + 3 * S - 1)) == []
    assert len(windows.advance(end + 3 * S)) == 1


def test_a_clock_that_is_put_right_closes_no_window_earlier_or_later() -> None:
    windows = Windows(10, 0, -(10**18))
    windows.advance(0)
    add(windows, reading(5 * S))
    windows.step(1000 * S)
    assert list(windows.advance(1010 * S - 1)) == []
    assert len(windows.advance(1010 * S)) == 1


def test_a_reading_of_a_closed_window_opens_a_late_one_that_closes_next() -> None:
    windows = Windows(10, 0, 100 * S)
    add(windows, reading(90 * S))
    add(windows, reading(100 * S))
    (window,) = windows.advance(100 * S)
    assert (window.late, window.start_us) == (True, 90 * S)


def test_times_before_1970_fall_into_windows_too() -> None:
    ((due_us, _),) = Windows(10, 0, -(10**18)).assign([reading(-1)])
    assert due_us == 0


@given(st.lists(st.tuples(st.sampled_from(["d1", "d2"]), st.integers(0, 100 * S), st.integers(0, 120 * S)), max_size=40))
def test_every_reading_is_in_exactly_one_window_of_its_device_and_time(steps: list[tuple[str, int, int]]) -> None:
    windows = Windows(10, 3, -(10**18))
    closed = []
    for device, at, now in steps:
        add(windows, reading(at, device))
        closed += windows.advance(now)
    closed += windows.advance(10**12)
    found = [(window.device_id, one.event_us) for window in closed for one in window.readings()]
    assert sorted(found) == sorted((device, at) for device, at, _ in steps)
    for window in closed:
        assert all(window.start_us <= one.event_us < window.end_us and one.device_id == window.device_id for one in window.readings())


@given(
    st.integers(-(2**60), 2**60),
    st.none() | st.integers(0, 2**62),
    st.dictionaries(st.text(min_size=1), st.floats(allow_nan=False)),
    st.booleans(),
)
def test_the_journal_gives_back_what_it_was_given(at: int, seq: int | None, values: dict[str, float], late: bool) -> None:
    windowed = WindowedReadings(60, late, [Reading("d1", at, at + 1, "synced", "b", seq, True, values)])
    assert unpack(pack(windowed)) == windowed


def test_what_the_first_version_kept_reading_by_reading_is_read() -> None:
    first = reading(7)
    assert unpack(msgspec.msgpack.encode((10, True, first))) == WindowedReadings(10, True, [first])


@given(st.lists(st.integers(0, 100 * S)), st.integers(0, 100 * S))
def test_readings_are_placed_by_interval_and_late_where_the_watermark_has_passed(times: list[int], watermark: int) -> None:
    intervals = [windowed for _, windowed in Windows(10, 0, watermark).assign([reading(at) for at in times])]
    assert sorted(one.event_us for windowed in intervals for one in windowed.readings) == sorted(times)
    ends = [windowed.readings[0].event_us // (10 * S) * 10 * S + 10 * S for windowed in intervals]
    assert ends == sorted({at - at % (10 * S) + 10 * S for at in times})
    for end, windowed in zip(ends, intervals, strict=True):
        assert {one.event_us // (10 * S) for one in windowed.readings} == {end // (10 * S) - 1}
        assert windowed.late is (end <= watermark)


def any_reading(number: int, device: str) -> Reading:
    bands = Bands("abcd", (0.5, -3.25)) if number % 3 else None
    return Reading(device, number, number + 7, "estimated", "b1", None if number % 5 else number, number % 2 == 0, {"a": number / 7}, bands)


@pytest.mark.parametrize("count", [1, PACKED_TOGETHER - 1, PACKED_TOGETHER, PACKED_TOGETHER + 1, 5 * PACKED_TOGETHER + 3])
def test_what_a_flood_packs_comes_out_as_it_came_in_and_by_device(count: int) -> None:
    windows, came = Windows(60, 0, -(10**18)), defaultdict[str, list[Reading]](list)
    for number in range(2 * count):
        each = any_reading(number, f"d{number % 2}")
        came[each.device_id].append(each)
        add(windows, each)
    closed = {window.device_id: window for window in windows.advance(60 * S)}
    assert {device: window.readings() for device, window in closed.items()} == came
    assert {len(window) for window in closed.values()} == {count}


def test_a_reading_in_a_flood_takes_a_fraction_of_its_memory() -> None:
    window = Window("d1", 0, 60, late=False)
    tracemalloc.start()
    for number in range(50 * PACKED_TOGETHER):
        window.add(any_reading(number, "d1"))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / len(window) < 60
