"""What is known of a field comes back from its bytes as it was, also from those that earlier versions wrote."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.irrigation.hours import FieldHistory, merged
from pipeline.rollup.stats import HOUR, DeviceHour, HourOfDevices, Key
from tests.pipeline.golden_bytes import golden

EIGHT = 1_777_622_400
TWO = (DeviceHour("soil-01", 60, 0.2125, 0.21, 0.215), DeviceHour("soil-02", 1, 31.0, 31.0, 31.0))
HISTORY = FieldHistory(
    merged(
        [
            HourOfDevices(Key("mill", "moisture", "m3/m3", EIGHT), 3, TWO[:1]),
            HourOfDevices(Key("mill", "moisture", "%", EIGHT), 0, TWO[1:]),
            HourOfDevices(Key("mill", "rain", "mm", EIGHT + 20 * HOUR), 1, TWO),
        ]
    ),
    {EIGHT // 86_400 * 86_400: (7, 2**55 + 1)},
)
numbers = st.floats(allow_nan=False)
devices = st.builds(DeviceHour, st.text(), st.integers(0, 2**40), numbers, numbers, numbers)
hours = st.builds(
    HourOfDevices,
    st.builds(Key, st.just("mill"), st.text(), st.text(), st.integers(0, 2**20).map(lambda hour: hour * HOUR)),
    st.integers(0, 2**31),
    st.lists(devices, max_size=3).map(tuple),
)


def test_the_bytes_of_version_1_are_read_for_ever() -> None:
    assert FieldHistory.unpack(golden("history", 1)) == HISTORY
    assert HISTORY.pack() == golden("history", 1)


def test_a_new_field_has_no_history() -> None:
    assert FieldHistory.unpack(None) == FieldHistory({}, {})


@given(st.lists(hours, max_size=20), st.dictionaries(st.integers(0, 2**40), st.tuples(st.integers(0, 2**31), st.integers(0, 2**56 - 1))))
def test_a_history_comes_back_as_it_was(drawn: list[HourOfDevices], revisions: dict[int, tuple[int, int]]) -> None:
    history = FieldHistory(merged(drawn), revisions)
    assert FieldHistory.unpack(history.pack()) == history
