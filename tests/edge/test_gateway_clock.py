"""A gateway on whatever its clock says: nothing is lost, nothing waits for ever, nothing doubtful passes for sure."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace as changed
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from edge.clock import ClockReading
from edge.gateway import Gateway
from edge.reading import Reading
from edge.store.store import Entry, Store
from edge.window import WindowedReadings, pack
from schemas.envelope import micros
from schemas.records import TimeQuality
from tests import long_form
from tests.edge.clocks import DAY, ERA, HOUR, MINUTE, NOON, SECOND, Farm, Machine, is_within
from tests.edge.gateways import START, config, message, rows, stored_readings
from tests.edge.test_gateway import OnePlace

YEAR = 365 * DAY
RIGHT = timedelta()


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def farm(tmp_path: Path, machine: Machine) -> Iterator[Farm]:
    farm = Farm(tmp_path, machine)
    yield farm
    farm.store.close()


@pytest.mark.parametrize("behind", [60, 90, 900, 3600, -90, -250])
def test_a_device_whose_clock_is_steadily_off_gets_a_window_and_an_inference_a_minute(farm: Farm, behind: int) -> None:
    """Case 42: of 145 windows of sensors 90 s behind none was scored."""
    farm.run(20 * MINUTE, {"d1": timedelta(seconds=behind)})
    farm.run(abs(behind) * SECOND + 2 * MINUTE, {}, every=30 * SECOND)
    assert [row["late"] for row in farm.summaries("d1")] == [False] * 21
    assert len([row for row in farm.inferences() if row["device_id"] == "d1"]) == 21
    assert {row["clock_offset_ms"] for row in farm.summaries("d1")} == {behind * 1000}


@pytest.mark.parametrize("ahead", [10 * MINUTE, 2 * HOUR, 14 * HOUR])
def test_a_device_whose_clock_is_steadily_far_ahead_is_believed_from_its_third_message_on(farm: Farm, ahead: timedelta) -> None:
    farm.run(10 * MINUTE, {"d1": -ahead, "d2": RIGHT})
    farm.restart()
    farm.run(10 * MINUTE, {"d1": -ahead, "d2": RIGHT})
    farm.run(2 * MINUTE, {})
    rejects = rows(farm.store, "rejects")
    assert [(row["reason"], row["device_id"]) for row in rejects] == [("time_future", "d1")] * 2
    assert [row["late"] for row in farm.summaries("d1")] == [False] * 21
    assert sum(row["count"] for row in farm.summaries("d1")) == 118
    assert len([row for row in farm.inferences() if row["device_id"] == "d1"]) == 21
    assert {row["clock_offset_ms"] for row in farm.summaries("d1")} == {-(ahead // timedelta(milliseconds=1))}
    assert {row["clock_offset_ms"] for row in farm.summaries("d2")} == {0}


def test_a_single_time_far_ahead_is_a_fault_whether_or_not_the_device_was_ahead_before(farm: Farm) -> None:
    def is_taken(ahead: timedelta) -> bool:
        before = len(rows(farm.store, "rejects"))
        farm.run(10 * SECOND, {"d1": -ahead})
        return len(rows(farm.store, "rejects")) == before

    assert not is_taken(HOUR)
    farm.run(5 * MINUTE, {"d1": RIGHT})
    assert not is_taken(HOUR)
    assert not is_taken(2 * HOUR)
    farm.run(10 * MINUTE, {"d1": -HOUR})
    assert is_taken(HOUR)
    assert not is_taken(3 * HOUR)
    farm.run(10 * MINUTE, {"d1": RIGHT})
    assert not is_taken(HOUR), "it was set right"
    assert [is_taken(2 * DAY) for _ in range(5)] == [False] * 5


def test_a_window_of_a_device_that_is_behind_closes_no_later_than_it_must(farm: Farm) -> None:
    farm.run(3 * MINUTE, {"d1": 15 * MINUTE})
    assert len(farm.inferences()) == 2


def test_a_device_whose_clock_is_set_wrong_is_followed(farm: Farm) -> None:
    farm.run(5 * MINUTE, {"d1": RIGHT})
    farm.run(10 * MINUTE, {"d1": 15 * MINUTE})
    farm.restart()
    farm.run(5 * MINUTE, {"d1": 15 * MINUTE})
    late = [row["late"] for row in farm.summaries("d1")]
    assert late[-12:] == [False] * 12
    assert sum(late) <= 5


def test_what_a_device_kept_and_sends_in_one_go_delays_no_later_window(farm: Farm) -> None:
    farm.run(5 * MINUTE, {"d1": RIGHT})
    farm.machine.true += HOUR
    for ago in range(3600, 0, -60):
        farm.machine.true += SECOND / 10
        farm.take(farm.send("d1", timedelta(seconds=ago)))
    farm.run(3 * MINUTE, {"d1": RIGHT})
    assert not farm.summaries("d1")[-1]["late"]
    assert farm.machine.true - farm.summaries("d1")[-1]["window_start"] < 3 * MINUTE


def test_a_tick_far_ahead_makes_nothing_late_and_nothing_stops_over_restarts(farm: Farm, machine: Machine) -> None:
    """Case 5: every later window was late, so no inference, after restarts too."""
    farm.run(5 * MINUTE, {"d1": RIGHT, "d2": None})
    machine.set(7168 * DAY)
    farm.tick()
    machine.set(RIGHT)
    for _ in range(3):
        farm.run(5 * MINUTE, {"d1": RIGHT, "d2": None})
        farm.restart()
    farm.run(2 * MINUTE, {})
    assert Counter(row["late"] for row in farm.summaries()) == {False: 42}
    assert len(farm.inferences()) == 42
    assert all(is_within(row, farm.times(row)) for row in farm.summaries())


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_clock_that_nobody_judges_may_jump_ahead_and_come_back(tmp_path: Path, is_restarted: bool) -> None:
    place = OnePlace(tmp_path)
    place.gateway.tick(START + 7168 * DAY)
    place.gateway.accept([message("d1", {"values": {"moisture": 0.1}})], START + 7168 * DAY)
    place.gateway.tick(START + 7168 * DAY + MINUTE)
    for minute in range(1, 11):
        now = START + minute * MINUTE
        if is_restarted:
            place.reopen(now)
        place.gateway.accept([message("d1", {"seq": minute, "time": now.timestamp(), "values": {"moisture": 0.3}})], now)
        place.gateway.tick(now + 30 * SECOND)
    assert [row["late"] for row in rows(place.store, "summaries")] == [False] * 11
    assert len(rows(place.store, "inferences")) == 11
    assert [row["state"] for row in rows(place.store, "events") if row["cause"] == "threshold"] == ["low", "normal"]
    place.store.close()


def test_a_store_that_was_poisoned_by_a_clock_far_ahead_recovers(tmp_path: Path) -> None:
    """Versions before kept the watermark of that clock."""
    far = micros(START + 7168 * DAY)
    place = OnePlace(tmp_path)
    section = place.store.section("watermark")
    section.set("", str(far).encode())
    reading = Reading("d1", micros(START), micros(START), "synced", None, 1, True, {"moisture": 0.3})
    place.store.append([Entry(micros(START + 10 * SECOND), pack(WindowedReadings(10, True, [reading])))])
    place.store.cut([], START, sections=[section])
    place.reopen(START + MINUTE)
    for minute in range(1, 5):
        now = START + minute * MINUTE
        place.gateway.accept([message("d1", {"seq": minute + 1, "time": now.timestamp(), "values": {"moisture": 0.3}})], now)
        place.gateway.tick(now + 30 * SECOND)
    assert [row["late"] for row in rows(place.store, "summaries")] == [True, False, False, False, False]
    assert len(rows(place.store, "inferences")) == 4
    assert place.gateway.heartbeat(START).readings_summarised == 5
    place.store.close()


@pytest.mark.parametrize("error", [-3 * DAY, ERA - NOON, 10 * YEAR])
def test_where_the_gateway_does_not_know_the_time_its_sensors_may(tmp_path: Path, error: timedelta) -> None:
    """Case 6: 30 of 30 readings were refused as of the future, acknowledged and stranded."""
    machine = Machine()
    farm = Farm(tmp_path, machine)
    farm.run(MINUTE, {"d1": RIGHT})
    machine.boot(error)
    farm.restart()
    farm.run(5 * MINUTE, {"d1": RIGHT})
    machine.set(RIGHT, is_synced=True)
    farm.run(6 * MINUTE, {"d1": RIGHT})
    assert rows(farm.store, "rejects") == []
    assert all(is_within(row, farm.times(row)) for row in farm.summaries())
    assert [row["late"] for row in farm.summaries()] == [False] * len(farm.summaries())
    assert len(farm.inferences()) == 11
    qualities = [row["time_quality"] for row in farm.summaries()]
    assert qualities[0] == "synced" == qualities[-1]
    assert set(qualities[2:6]) <= {"estimated", "untrusted"}
    farm.store.close()


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("error", [-3 * DAY, ERA - NOON])
def test_what_came_before_the_clock_was_known_is_dated_when_it_is(tmp_path: Path, error: timedelta, restarts: bool) -> None:
    machine = Machine()
    farm = Farm(tmp_path, machine)
    farm.run(MINUTE, {"d1": None})
    machine.boot(error)
    farm.restart()
    farm.run(MINUTE, {"d1": None, "d2": RIGHT})
    machine.true += 7 * SECOND
    if restarts:
        farm.restart()
    farm.run(MINUTE, {"d1": None, "d2": RIGHT})
    machine.set(RIGHT, is_synced=True)
    farm.run(20 * SECOND, {"d1": None, "d2": RIGHT})
    if restarts:
        farm.restart()
    farm.run(90 * MINUTE, {"d1": None}, every=5 * MINUTE)
    assert all(is_within(row, farm.times(row)) for row in farm.summaries())
    assert "corrected" in {row["time_quality"] for row in farm.summaries("d1")}
    assert {row["time_quality"] for row in farm.summaries("d1")} <= {"synced", "corrected"}
    assert stored_readings(farm.store) == Counter(dict.fromkeys(farm.sent, 1))
    farm.store.close()


def test_a_clock_that_never_becomes_known_is_waited_for_no_longer_than_an_hour(tmp_path: Path) -> None:
    machine = Machine()
    farm = Farm(tmp_path, machine)
    farm.tick()
    machine.boot(ERA - NOON)
    farm.restart()
    farm.run(30 * MINUTE, {"d1": None}, every=MINUTE)
    assert farm.summaries("d1") == []
    farm.run(40 * MINUTE, {"d1": None}, every=MINUTE)
    assert sum(row["count"] for row in farm.summaries("d1")) >= 68
    assert {row["time_quality"] for row in farm.summaries("d1")} == {"untrusted"}
    assert all(row["window_start"] >= NOON - 2 * HOUR for row in farm.summaries("d1")), "not before what was known"
    assert {row["time_quality"] for row in rows(farm.store, "heartbeats")} == {"synced", "untrusted"}
    farm.store.close()


def test_sensors_that_agree_tell_a_gateway_the_time_and_so_when_others_measured(tmp_path: Path) -> None:
    machine = Machine(is_synced=False, error=ERA - NOON)
    farm = Farm(tmp_path, machine, batch_seconds=60)
    farm.run(5 * MINUTE, {"d1": RIGHT, "d2": None, "d3": RIGHT})
    farm.run(70 * MINUTE, {}, every=5 * MINUTE)
    assert all(is_within(row, farm.times(row)) for row in farm.summaries())
    assert stored_readings(farm.store) == Counter(dict.fromkeys(farm.sent, 1))
    assert {row["time_quality"] for row in farm.summaries()} == {"estimated"}
    farm.store.close()


def test_readings_without_a_time_that_may_have_waited_in_the_broker_are_marked(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db", "gw-1", 64 << 20)
    gateway = Gateway(config(tmp_path), store, START)
    timed = {"time": START.timestamp(), "seq": 1, "values": {"moisture": 0.3}}
    gateway.accept([message("d1", timed, dup=True), message("d2", {"values": {"moisture": 0.3}}, dup=True)], START)
    gateway.accept([message("d3", {"values": {"moisture": 0.3}})], START)
    gateway.accept([replace(message("d4", {"values": {"moisture": 0.3}}), queued=True)], START)
    gateway.flush(START + HOUR)
    found = {row["device_id"]: row["time_quality"] for row in rows(store, "summaries")}
    assert found == {"d1": "synced", "d2": "estimated", "d3": "synced", "d4": "estimated"}
    store.close()


@pytest.mark.parametrize(
    ("quality", "time", "reason"),
    [
        ("synced", START + DAY, "time_future"),
        ("synced", START - 1801 * DAY, "time_past"),
        ("estimated", START + 20 * YEAR, None),
        ("untrusted", START - 20 * YEAR, None),
        ("untrusted", datetime(2101, 1, 1, tzinfo=UTC), "time_future"),
        ("estimated", datetime(1999, 1, 1, tzinfo=UTC), "time_past"),
    ],
)
def test_a_time_is_judged_by_the_gateways_clock_only_while_that_is_known(
    tmp_path: Path, quality: TimeQuality, time: datetime, reason: str | None
) -> None:
    store = Store(tmp_path / "store.db", "gw-1", 64 << 20)
    gateway = Gateway(config(tmp_path), store, START)
    gateway.clock_quality = quality
    gateway.accept([message("d1", {"time": time.timestamp(), "values": {"moisture": 0.3}})], START)
    assert [row["reason"] for row in rows(store, "rejects")] == ([reason] if reason else [])
    gateway.flush(START + HOUR)
    assert [row["time_quality"] for row in rows(store, "summaries")] == ([] if reason else [quality])
    store.close()


Jumps = tuple[timedelta, ...]
_ERRORS: Jumps = (-10 * YEAR, 10 * YEAR, -HOUR, ERA - NOON, 3 * DAY, -3 * DAY, -90 * SECOND, RIGHT)


def disturb(farm: Farm, rng: random.Random) -> str:
    """Does one thing to the clock or the process; returns what it was."""
    machine, error = farm.machine, rng.choice(_ERRORS)
    what = rng.choice(["jump", "tick", "slew", "restart", "boot", "sync"])
    if what == "jump":
        machine.set(error)
    elif what == "tick":
        before = machine.error, machine.is_synced
        machine.set(error, is_synced=rng.random() < 0.5)
        farm.tick()
        machine.set(before[0], is_synced=before[1])
    elif what == "slew":
        machine.error += rng.uniform(-0.2, 0.2) * SECOND
    elif what == "sync":
        machine.set(RIGHT, is_synced=True)
    else:
        if what == "boot":
            machine.boot(error, is_synced=False)
        farm.restart()
    return f"{what} {error}"


def wrongly_dated(farm: Farm) -> list[dict[str, Any]]:
    """Returns the summaries that are dated more than two minutes from when their readings were sent."""
    return [row for row in farm.summaries() if not is_within(row, farm.times(row), 2 * MINUTE)]


SCHEDULES = long_form.number(30, 300)


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_whatever_the_clock_does_nothing_is_lost_and_nothing_wrong_passes_for_sure(tmp_path: Path, seed: int) -> None:
    """R16: schedules of jumps and restarts. What was sent is counted outside."""
    rng, machine = random.Random(seed), Machine()
    farm = Farm(tmp_path, machine, batch_seconds=30)
    devices: dict[str, timedelta | None] = {"d1": RIGHT, "d2": None, "d3": 90 * SECOND, "d4": RIGHT}
    farm.run(2 * MINUTE, devices, every=20 * SECOND)
    did = []
    for _ in range(8):
        did.append(disturb(farm, rng))
        farm.run(rng.choice([MINUTE, 3 * MINUTE]), devices, every=20 * SECOND)
    print(f"seed {seed}: {'; '.join(did)}")
    machine.set(RIGHT, is_synced=True)
    farm.run(2 * MINUTE, devices, every=20 * SECOND)
    begin: datetime = machine.true
    farm.run(5 * MINUTE, devices, every=20 * SECOND)
    farm.run(70 * MINUTE, {}, every=10 * MINUTE)
    farm.gateway.flush(farm.now())
    assert stored_readings(farm.store) == Counter(dict.fromkeys(farm.sent, 1))
    assert rows(farm.store, "rejects") == []
    assert farm.store.ledger().readings_dropped == 0
    wrong = wrongly_dated(farm)
    assert TimeQuality.SYNCED not in {row["time_quality"] for row in wrong}
    assert TimeQuality.CORRECTED not in {row["time_quality"] for row in wrong}
    last = [row for row in farm.summaries() if min(farm.times(row)) > begin + MINUTE]
    assert len(last) >= 12
    assert not any(row["late"] for row in last)
    farm.store.close()
    long_form.progress(seed + 1, SCHEDULES)
    if seed == SCHEDULES - 1:
        text = "of 8 jumps, slews and restarts, a seed each from this one on: 0 readings lost, 0 refused, 0 wrong times that pass for sure"
        long_form.note("R16", measured=f"{SCHEDULES} schedules {text}", seed=0)


class Liar(Machine):
    """Has a kernel that calls whatever time it is synchronised."""

    def clocks(self) -> ClockReading:
        return changed(super().clocks(), is_synced=True)


def test_where_the_kernel_calls_a_wrong_time_synchronised_it_is_seen_to_pass_for_sure(tmp_path: Path) -> None:
    machine = Liar()
    farm = Farm(tmp_path, machine, batch_seconds=30)
    for error in (3 * DAY, -HOUR, 10 * YEAR):
        machine.set(error)
        farm.run(3 * MINUTE, {"d2": None}, every=20 * SECOND)
    farm.gateway.flush(farm.now() + HOUR)
    wrong = [row for row in wrongly_dated(farm) if row["time_quality"] == TimeQuality.SYNCED]
    farm.store.close()
    assert wrong
    control = f"where the kernel calls three wrong times synchronised, {len(wrong)} windows of them pass for sure"
    long_form.note("R16", control=control)
