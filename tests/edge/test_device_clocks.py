"""How far a device's clock is from the gateway's: learnt from what is steady, kept over restarts, bounded."""

from __future__ import annotations

import pytest

from edge import device_clocks
from edge.device_clocks import DeviceClocks
from edge.reading import Reading
from tests.edge.sections import Memory

S = 1_000_000


def reading(arrived: float, behind: float, device: str = "d1", quality: str = "synced", *, sensor_time: bool = True) -> Reading:
    return Reading(device, round((arrived - behind) * S), round(arrived * S), quality, None, None, sensor_time, {"a": 1.0})


def learned(*readings: Reading) -> DeviceClocks:
    clocks = DeviceClocks(Memory().section, 60)
    for each in readings:
        clocks.note([each])
    return clocks


@pytest.mark.parametrize(
    ("behind", "offset"), [(0, 0), (29, 0), (-29, 0), (45, 45), (89.5, 90), (90, 90), (3600, 3600), (-45, -45), (-200, -200)]
)
def test_a_steady_clock_is_known_from_the_first_reading(behind: int, offset: int) -> None:
    assert learned(reading(10_000, behind)).offset_us("d1") == offset * S
    assert learned(*(reading(10_000 + 60 * minute, behind) for minute in range(9))).offset_us("d1") == offset * S


def test_a_clock_that_is_set_is_followed_after_three_readings() -> None:
    before = [reading(10_000 + 60 * minute, 0) for minute in range(9)]
    after = [reading(11_000 + 60 * minute, 900) for minute in range(3)]
    assert learned(*before, *after[:2]).offset_us("d1") == 0
    assert learned(*before, *after).offset_us("d1") == 900 * S


def test_a_backlog_says_nothing_whether_it_comes_at_once_or_in_a_while() -> None:
    before = [reading(10_000 + 60 * minute, 0) for minute in range(2)]
    at_once = [reading(20_000, 9_000 - 60 * kept) for kept in range(150)]
    clocks = learned(*before)
    clocks.note(at_once)
    assert clocks.offset_us("d1") == 0
    in_a_while = [reading(20_000 + 20 * kept, 9_000 - 60 * kept + 20 * kept) for kept in range(150)]
    assert learned(*before, *in_a_while).offset_us("d1") == 0


def test_the_freshest_reading_of_a_message_counts() -> None:
    clocks = learned()
    clocks.note([reading(10_000, behind) for behind in (3000, 2000, 90)])
    assert clocks.offset_us("d1") == 0, "it sends what it measured in a while, now and then"
    clocks = learned()
    clocks.note([reading(10_000, behind) for behind in (110, 100, 90)])
    assert clocks.offset_us("d1") == 90 * S


def test_a_device_without_a_time_has_no_offset() -> None:
    assert learned(reading(10_000, 900, sensor_time=False)).offset_us("d1") == 0


def test_a_steady_clock_is_written_down_once_also_one_that_is_right() -> None:
    memory = Memory()
    clocks = DeviceClocks(memory.section, 60)
    writes = 0
    for minute in range(20):
        clocks.note([reading(10_000 + 60 * minute, 90 + minute % 3 * 0.1, "d1"), reading(10_000 + 60 * minute, minute % 7, "d2")])
        writes += len(clocks.section.changed)
        memory.commit([clocks.section])
    assert writes <= device_clocks.OFFSETS_REMEMBERED + 2
    assert DeviceClocks(memory.section, 60).offset_us("d1") == 91 * S
    assert set(memory.rows) == {"device_clocks/d1", "device_clocks/d2"}


def test_of_a_clock_that_was_right_a_late_reading_says_nothing_after_a_restart() -> None:
    """It held its windows open for minutes longer."""
    memory = Memory()
    clocks = DeviceClocks(memory.section, 60)
    for minute in range(5):
        clocks.note([reading(10_000 + 60 * minute, 1)])
    memory.commit([clocks.section])
    again = DeviceClocks(memory.section, 60)
    again.note([reading(10_300, 200)])
    assert again.offset_us("d1") == 0


def test_what_an_unknown_clock_says_counts_until_the_process_ends() -> None:
    memory = Memory()
    clocks = DeviceClocks(memory.section, 60)
    clocks.note([reading(10_000, -259_200, quality="estimated")])
    memory.commit([clocks.section])
    assert clocks.offset_us("d1") == -259_200 * S
    clocks.shift(259_200 * S)
    assert clocks.offset_us("d1") == 0
    assert memory.rows == {}


def test_devices_that_were_not_heard_for_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_clocks, "DEVICES_REMEMBERED", 2)
    clocks = learned(reading(10_000, 90, "d1"), reading(10_000, 90, "d2"), reading(10_060, 90, "d1"), reading(10_060, 90, "d3"))
    assert [clocks.offset_us(device) for device in ("d1", "d2", "d3")] == [90 * S, 0, 90 * S]
    assert set(clocks.section.items()) == {"d1", "d3"}


def test_most_devices_that_were_heard_lately_say_one_offset_or_none() -> None:
    ahead = [reading(10_000, -259_200 - each, f"d{each}") for each in range(3)]
    assert learned(*ahead[:1]).common_us(10_010 * S) is None, "one may be wrong itself"
    assert learned(*ahead).common_us(10_010 * S) == -259_201 * S
    assert learned(*ahead[:2], reading(10_000, 0, "d8"), reading(10_000, 500, "d9")).common_us(10_010 * S) is None
    assert learned(*ahead).common_us(20_000 * S) is None, "they are silent"
