from hypothesis import given
from hypothesis import strategies as st

from lab.witness.oracle import ChannelFacts, DeliveredKeys, delivered_keys, expand, judge

CHANNELS = ("moisture", "temperature")


def channels(device):
    return CHANNELS


KEYS = frozenset([("a", 1), ("a", 2), ("b", 1), b"broken"])


def _facts(device: str, ranges: list[int], values: int | None = None) -> list[ChannelFacts]:
    return [ChannelFacts(device, channel, ranges, len(expand(ranges)) if values is None else values) for channel in CHANNELS]


def test_all_that_was_acknowledged_and_is_shown_once_is_sound() -> None:
    verdict = judge(KEYS, KEYS, DeliveredKeys(KEYS, 0))
    assert verdict.sound
    assert (verdict.attempted, verdict.acknowledged, verdict.delivered) == (4, 4, 4)


def test_one_acknowledged_and_not_shown_is_lost() -> None:
    verdict = judge(KEYS, KEYS, DeliveredKeys(KEYS - {("a", 2)}, 0))
    assert verdict.lost == (("a", 2),)
    assert not verdict.sound


def test_one_that_was_attempted_only_may_be_absent() -> None:
    assert judge(KEYS, KEYS - {("a", 2)}, DeliveredKeys(KEYS - {("a", 2)}, 0)).sound


def test_one_that_a_ledger_declares_is_not_lost() -> None:
    assert judge(KEYS, KEYS, DeliveredKeys(KEYS - {b"broken"}, 0), declared=[b"broken"]).sound


def test_one_that_nobody_sent_is_unexpected() -> None:
    verdict = judge(KEYS, KEYS, DeliveredKeys(KEYS | {("c", 9)}, 0))
    assert verdict.unexpected == (("c", 9),)
    assert not verdict.sound


def test_more_values_than_numbers_are_repeats() -> None:
    found = delivered_keys(_facts("a", [1, 3], values=5), channels, {})
    assert found.repeated == 2
    assert not judge(found.keys, found.keys, found).sound


def test_numbers_shown_by_two_windows_are_repeats() -> None:
    assert delivered_keys(_facts("a", [1, 3, 3, 4], values=5), channels, {}).repeated == 1


def test_a_reject_shown_twice_is_a_repeat() -> None:
    assert delivered_keys([], channels, {b"once": 1, b"twice": 2}).repeated == 1


def test_a_reading_without_one_of_its_channels_is_not_delivered() -> None:
    facts = [*_facts("a", [1, 3])[:1], ChannelFacts("a", "temperature", [1, 2], 2)]
    assert delivered_keys(facts, channels, {}).keys == {("a", 1), ("a", 2)}


@given(st.sets(st.integers(0, 200)))
def test_ranges_expand_to_the_numbers_they_were_made_of(numbers: set[int]) -> None:
    assert expand([bound for number in sorted(numbers) for bound in (number, number)]) == numbers


def test_each_device_has_channels_of_its_own() -> None:
    facts = [*_facts("a", [1, 2]), ChannelFacts("m", "rms", [1, 2], 2), ChannelFacts("m", "peak", [1, 1], 1)]
    found = delivered_keys(facts, lambda device: ("rms", "peak") if device == "m" else CHANNELS, {})
    assert found.keys == {("a", 1), ("a", 2), ("m", 1)}
