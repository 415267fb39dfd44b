"""The gateway says since when it hears its broker without interruption."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from edge.listening import Listening
from schemas.records import LinkState
from tests.edge.gateways import START

ONLINE, OFFLINE = LinkState.ONLINE, LinkState.OFFLINE
MINUTE = timedelta(minutes=1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def noted(*broker: tuple[float, LinkState]) -> datetime | None:
    listening = Listening(MINUTE)
    for seconds, state in broker:
        listening.note(at(seconds), state)
    return listening.since


def test_it_listens_since_the_broker_is_online() -> None:
    assert noted((0, OFFLINE)) is None
    assert noted((0, OFFLINE), (20, ONLINE), (40, ONLINE), (90, ONLINE)) == at(20)


def test_a_short_loss_of_the_broker_is_no_interruption() -> None:
    assert noted((0, ONLINE), (10, OFFLINE), (20, OFFLINE), (29, ONLINE)) == at(0)


def test_a_longer_loss_is_one() -> None:
    lost = [(seconds, OFFLINE) for seconds in range(10, 50, 10)]
    assert noted((0, ONLINE), *lost) is None
    assert noted((0, ONLINE), *lost, (50, ONLINE)) == at(50)


@pytest.mark.parametrize("jump", [61, 3600, -61, -(10**8)])
def test_a_sleep_and_a_clock_that_jumps_are_interruptions(jump: int) -> None:
    assert noted((0, ONLINE), (50, ONLINE), (50 + jump, ONLINE), (60 + jump, ONLINE)) == at(50 + jump)


def test_a_tick_a_minute_is_none_and_a_clock_that_is_set_by_a_moment_is_none() -> None:
    assert noted((0, ONLINE), (60, ONLINE), (119, ONLINE), (118, ONLINE)) == at(0)
