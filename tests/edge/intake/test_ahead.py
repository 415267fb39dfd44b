"""What makes a device one whose clock is ahead: messages that agree, and that came apart."""

from __future__ import annotations

from edge.intake.ahead import Ahead

SECOND = 1_000_000
HOUR = 3600 * SECOND
NOW = 1_780_000_000 * SECOND


def taken(ahead: Ahead, *messages: tuple[int, int]) -> list[bool]:
    """Messages as (seconds since the first, microseconds ahead)."""
    return [ahead.is_steady("d1", NOW + at * SECOND + by, NOW + at * SECOND) for at, by in messages]


def test_the_third_message_that_agrees_is_taken() -> None:
    assert taken(Ahead(), (0, HOUR), (10, HOUR + SECOND), (20, HOUR), (30, HOUR)) == [False, False, True, True]


def test_what_comes_together_counts_once() -> None:
    assert taken(Ahead(), (0, HOUR), (0, HOUR), (0, HOUR), (10, HOUR), (20, HOUR)) == [False] * 4 + [True]


def test_what_does_not_agree_begins_anew() -> None:
    assert taken(Ahead(), (0, HOUR), (10, HOUR), (20, 2 * HOUR), (30, HOUR), (40, HOUR)) == [False] * 5


def test_a_device_whose_offset_is_known_needs_no_proof() -> None:
    assert taken(Ahead(lambda _device_id: -HOUR), (0, HOUR), (10, HOUR + 31 * SECOND), (20, HOUR - 600 * SECOND)) == [True, False, True]


def test_devices_are_forgotten_so_that_names_cost_a_bounded_amount() -> None:
    ahead = Ahead()
    for number in range(20_000):
        ahead.is_steady(f"d{number}", NOW + HOUR, NOW)
    assert len(ahead._seen) == 10_000
