"""What time it is: by the steady clock, until another time is confirmed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.timekeeper import Moment, Timekeeper
from tests.edge.clocks import DAY, ERA, HOUR, MINUTE, NOON, SECOND, Machine
from tests.edge.sections import Memory

RIGHT = timedelta()


class Keeping:
    """A timekeeper on a machine, whose memory is committed at each turn."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.memory = machine, Memory()
        self.restart()

    def restart(self) -> None:
        self.timekeeper = Timekeeper(self.memory.section, self.machine.clocks())

    def after(self, time: timedelta, every: timedelta = SECOND) -> Moment:
        """Returns the moment after so much time, of which it is asked every so often."""
        for _ in range(max(time // every, 1)):
            self.machine.true += min(every, time)
            moment = self.timekeeper.note(self.machine.clocks())
            self.memory.commit([self.timekeeper.section])
        return moment

    def error(self, moment: Moment) -> timedelta:
        return moment.time - self.machine.true


@pytest.fixture
def keeping() -> Keeping:
    return Keeping(Machine())


@pytest.mark.parametrize("error", [7168 * DAY, -3650 * DAY, -HOUR, ERA - NOON])
@pytest.mark.parametrize("is_synced", [False, True])
def test_a_jump_that_does_not_last_is_not_followed(keeping: Keeping, error: timedelta, is_synced: bool) -> None:
    keeping.after(MINUTE)
    keeping.machine.set(error, is_synced=is_synced)
    jumped = keeping.after(3 * SECOND)
    assert (keeping.error(jumped), jumped.quality, jumped.step) == (RIGHT, "estimated", RIGHT)
    keeping.restart()
    assert keeping.error(keeping.after(SECOND)) == RIGHT
    keeping.machine.set(RIGHT, is_synced=True)
    assert keeping.after(SECOND).quality == "synced"


def test_what_the_kernel_confirms_is_followed_in_seconds_and_by_a_little_at_once(keeping: Keeping) -> None:
    keeping.machine.set(DAY, is_synced=True)
    assert keeping.error(keeping.after(8 * SECOND)) == RIGHT
    assert keeping.error(keeping.after(4 * SECOND)) == DAY
    keeping.machine.set(DAY + 30 * SECOND, is_synced=True)
    moment = keeping.after(SECOND)
    assert (keeping.error(moment), moment.step, moment.quality) == (DAY + 30 * SECOND, 30 * SECOND, "synced")


def test_a_clock_set_by_hand_is_followed_once_that_lasts_and_is_no_more_than_estimated(keeping: Keeping) -> None:
    keeping.machine.set(DAY)
    assert keeping.error(keeping.after(9 * MINUTE)) == RIGHT
    moment = keeping.after(2 * MINUTE)
    assert (keeping.error(moment), moment.quality) == (DAY, "estimated")


def test_a_clock_before_what_was_known_is_never_followed_unless_the_kernel_knows(keeping: Keeping) -> None:
    keeping.after(MINUTE)
    keeping.machine.set(-DAY)
    assert keeping.error(keeping.after(HOUR, MINUTE)) == RIGHT
    keeping.machine.set(-DAY, is_synced=True)
    keeping.after(5 * SECOND)
    assert keeping.error(keeping.after(10 * SECOND)) == -DAY


@pytest.mark.parametrize("error", [ERA - NOON, -3 * DAY])
def test_a_boot_behind_what_was_known_goes_on_from_there_untrusted_until_the_time_comes(keeping: Keeping, error: timedelta) -> None:
    keeping.after(HOUR, MINUTE)
    keeping.machine.true += 3 * DAY + HOUR
    keeping.machine.boot(error - DAY)
    keeping.restart()
    before = keeping.after(MINUTE)
    assert before.quality == "untrusted"
    assert -3 * DAY - 2 * HOUR < keeping.error(before) < -3 * DAY
    assert before.wait == HOUR - MINUTE
    behind = keeping.error(before)
    keeping.machine.set(RIGHT, is_synced=True)
    steps = [keeping.after(SECOND) for _ in range(15)]
    assert [moment.step for moment in steps if moment.step] == [-behind]
    assert (steps[-1].quality, steps[-1].wait, keeping.error(steps[-1])) == ("synced", RIGHT, RIGHT)


@given(st.lists(st.floats(-0.09, 0.09), max_size=50))
def test_a_slewed_clock_is_followed_without_a_step(slews: list[float]) -> None:
    keeping = Keeping(Machine())
    for slew in slews:
        keeping.machine.error += slew * SECOND
        moment = keeping.after(SECOND)
        assert (keeping.error(moment), moment.step, moment.quality) == (keeping.machine.error, RIGHT, "synced")


def test_it_writes_seldom(keeping: Keeping) -> None:
    written = 0
    for _ in range(3600):
        keeping.machine.true += SECOND
        keeping.timekeeper.note(keeping.machine.clocks())
        written += bool(keeping.timekeeper.section.changed)
        keeping.memory.commit([keeping.timekeeper.section])
    assert written <= 7


def agreeing(offset: timedelta) -> Callable[[datetime], timedelta]:
    return lambda _time: offset


@pytest.mark.parametrize("error", [ERA - NOON, -3 * DAY])
def test_sensors_that_agree_put_a_clock_right_that_is_too_early(error: timedelta) -> None:
    machine = Machine(is_synced=False, error=error)
    keeping = Keeping(machine)
    before = keeping.timekeeper.note(machine.clocks())
    behind = -keeping.error(before)
    machine.true += MINUTE
    moment = keeping.timekeeper.note(machine.clocks(), agreeing(-behind))
    assert (keeping.error(moment), moment.step, moment.quality) == (RIGHT, behind, "estimated")
    assert keeping.error(keeping.after(HOUR, MINUTE)) == RIGHT, "and the clock that they contradict is not followed"


@pytest.mark.parametrize("offset", [-2 * HOUR, 2 * DAY])
def test_sensors_may_be_of_another_zone_or_send_what_is_old(offset: timedelta) -> None:
    machine = Machine(is_synced=False)
    moment = Keeping(machine).timekeeper.note(machine.clocks(), agreeing(offset))
    assert (moment.time, moment.step) == (machine.true, RIGHT)


def test_sensors_never_put_a_clock_right_that_was_known_since_the_boot(keeping: Keeping) -> None:
    keeping.after(MINUTE)
    keeping.machine.set(RIGHT, is_synced=False)
    keeping.restart()
    keeping.machine.true += MINUTE
    assert keeping.error(keeping.timekeeper.note(keeping.machine.clocks(), agreeing(-3 * DAY))) == RIGHT


def test_a_jump_that_lasts_is_not_followed_while_sensors_say_that_the_time_is_right(keeping: Keeping) -> None:
    keeping.machine.set(3650 * DAY)
    for _ in range(30):
        keeping.machine.true += MINUTE
        moment = keeping.timekeeper.note(keeping.machine.clocks(), agreeing(SECOND))
    assert (keeping.error(moment), moment.quality) == (RIGHT, "estimated")
