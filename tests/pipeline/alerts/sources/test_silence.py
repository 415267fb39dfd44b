"""Who is silent: judged by what gateways heard while they listened, never by data that are only late."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count, pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from pipeline.alerts.gateway_report import gateway_reports
from pipeline.alerts.silence.watch import Liveness
from pipeline.assign_sites import group_rows
from pipeline.decode import decode
from pipeline.elements import DecodedBatches, RowGroup
from schemas.envelope import micros
from schemas.records import Device
from schemas.registry import Registry
from schemas.rules.silence import SilenceRule
from tests.pipeline.alerts.silence.engine import Engine
from tests.pipeline.bodies import ALWAYS, NOW, REGISTRY, message_of, one_of, summary, table, with_sites

SILENT, ALIVE = Liveness.SILENT, Liveness.ALIVE
DEVICE = SilenceRule(name="silent", silent_seconds=600, devices=("d*",), never_heard_seconds=366 * 86_400)
GATEWAY = SilenceRule(name="gone", silent_seconds=900, subject="gateway")
MINUTE = timedelta(minutes=1)
NUMBERS = count(1)

SIX = replace(REGISTRY, devices=tuple(Device(f"d{number}", "soil", "north", ALWAYS, None) for number in range(1, 7)))
STANDS = {"d1": "south"} | dict.fromkeys(("d2", "d3", "d4", "d5", "d6"), "north")


def at(minutes: float) -> datetime:
    return NOW + minutes * MINUTE


def arrived(kind: str, row: Any, minutes: float, gateway: str) -> RowGroup:
    """A batch of one row as the steps after the assignment of sites see it."""
    rows = table(kind, [row])
    for name, value in (("batch_id", f"{gateway}:7:{next(NUMBERS)}"), ("gateway_id", gateway), ("received_time", at(minutes))):
        rows = rows.append_column(name, pa.array([value]))
    return RowGroup(kind, rows.append_column("site_id", pa.array([STANDS[row.device_id] if kind == "summaries" else None], pa.string())))


def summaries(minutes: float, device: str = "d1", gateway: str = "gw1", received: float | None = None, **changes: Any) -> RowGroup:
    """Of the minute that ends then."""
    row = replace(summary(device, at(minutes - 1), last_time=at(minutes)), **changes)
    return arrived("summaries", row, minutes if received is None else received, gateway)


def heartbeat(
    minutes: float, pending: float | None = None, received: float | None = None, gateway: str = "gw1", **changes: Any
) -> RowGroup:
    oldest = None if pending is None else at(pending)
    row = replace(one_of("heartbeats"), heartbeat_time=at(minutes), oldest_pending_time=oldest, **changes)
    return arrived("heartbeats", row, minutes if received is None else received, gateway)


def engine_of(*rules: SilenceRule, registry: Registry = REGISTRY) -> Engine:
    return Engine(rules or (DEVICE, GATEWAY), registry)


def hear(engine: Engine, *row_groups: RowGroup) -> None:
    """Hears each when it is received."""
    for row_group in row_groups:
        engine.hear(row_group, row_group.rows.column("received_time")[0].as_py())


def beat(engine: Engine, first: int, last: int, **changes: Any) -> None:
    """Hears a heartbeat every minute from the first to the last."""
    hear(engine, *(heartbeat(minutes, **changes) for minutes in range(first, last + 1)))


def all_heard(engine: Engine, first: int, last: int, *devices: str) -> None:
    """Hears all the devices and a heartbeat, every minute from the first to the last."""
    for minutes in range(first, last + 1):
        hear(engine, *(summaries(minutes, device) for device in devices), heartbeat(minutes))


def test_a_device_is_silent_when_its_gateway_has_delivered_everything_and_it_is_not_in_it() -> None:
    engine = engine_of()
    hear(engine, summaries(1))
    beat(engine, 2, 20)
    assert engine.of(SILENT) == [("silent", "d1", 11)]
    hear(engine, summaries(20))
    assert engine.of(ALIVE)[-1] == ("silent", "d1", 20)


@pytest.mark.parametrize("last", range(1, 8))
def test_whoever_is_silent_is_so_since_it_was_heard_last(last: int) -> None:
    """A gateway passes on only some of the times that it hears a device, and people read the last of all."""
    engine = engine_of(DEVICE)
    all_heard(engine, 0, last, "d1")
    beat(engine, last + 1, last + 15)
    assert engine.observed[-1].text.endswith(f"silent since {at(last):%Y-%m-%d %H:%M:%S} UTC")


def test_a_backlog_behind_its_heartbeats_is_not_silence() -> None:
    """After an outage heartbeats overtake summaries: each says since when batches wait."""
    engine = engine_of(DEVICE)
    all_heard(engine, 0, 1, "d1")
    backlog = [heartbeat(minutes, pending=2, received=60) for minutes in range(2, 61)]
    hear(engine, *backlog, *(summaries(minutes, received=61) for minutes in range(2, 61)))
    beat(engine, 62, 66)
    assert engine.of(SILENT) == []


def test_a_device_that_died_in_the_outage_is_found_once_the_backlog_is_through_and_is_news() -> None:
    engine = engine_of(DEVICE)
    all_heard(engine, 0, 1, "d1", "d2")
    hear(engine, heartbeat(60, pending=2), summaries(60, "d2"))
    all_heard(engine, 61, 64, "d2")
    assert engine.of(SILENT) == [("silent", "d1", 11)]
    assert engine.observed[-1].known_at >= micros(at(60))


def test_the_first_heartbeat_of_an_outage_judges_nobody_when_it_comes_late() -> None:
    """It says that nothing waits, for it was the first that could not be sent."""
    engine = engine_of(DEVICE)
    hear(engine, summaries(-8), heartbeat(-1), heartbeat(0))
    hear(engine, heartbeat(2, received=200), *(summaries(minutes, received=205) for minutes in range(3, 200)))
    all_heard(engine, 206, 212, "d1")
    assert engine.of(SILENT) == []


def test_a_power_cut_longer_than_the_silence_makes_nobody_silent() -> None:
    """Six devices, half an hour without power: six were called silent, and six were resolved."""
    engine = engine_of(registry=SIX)
    devices = [f"d{number}" for number in range(1, 7)]
    all_heard(engine, 0, 10, *devices)
    back = at(40)
    beat(engine, 40, 41, started_time=back)
    for minutes in range(42, 60):
        hear(engine, *(summaries(minutes, device) for device in devices), heartbeat(minutes, started_time=back))
    assert [each for each in engine.of(SILENT) if each[0] == "silent"] == []


@pytest.mark.parametrize("changes", [{"started_time": at(40)}, {"started_time": NOW, "listening_since_time": at(40)}])
def test_a_device_that_died_in_a_power_cut_is_silent_its_time_after_the_return(changes: dict[str, Any]) -> None:
    engine = engine_of(DEVICE)
    all_heard(engine, 0, 10, "d1", "d2")
    for minutes in range(40, 60):
        hear(engine, summaries(minutes, "d2"), heartbeat(minutes, **changes))
    assert engine.of(SILENT) == [("silent", "d1", 50)]


def test_a_gateway_without_a_battery_in_its_clock_is_away_all_the_same() -> None:
    """Its process starts in 1970, and the clock is right a moment later."""
    engine = engine_of(DEVICE)
    all_heard(engine, 0, 10, "d1", "d2")
    for minutes in range(40, 60):
        hear(engine, summaries(minutes, "d2"), heartbeat(minutes, started_time=ALWAYS))
    assert engine.of(SILENT) == [("silent", "d1", 50)]


def test_batches_that_the_gateway_dropped_for_want_of_room_make_nobody_silent() -> None:
    """What was dropped came before what waits: at the time of the oldest that waits nobody was heard for hours."""
    engine = engine_of(DEVICE)
    all_heard(engine, 0, 10, "d1", "d2")
    hear(engine, *(heartbeat(minutes, pending=200, received=300, batches_dropped=400) for minutes in (299, 300)))
    hear(engine, *(heartbeat(minutes, pending=200 + 10 * (minutes - 300), batches_dropped=400) for minutes in range(301, 306)))
    assert engine.of(SILENT) == []


def test_a_heartbeat_of_before_the_column_says_nothing_of_listening() -> None:
    rows = table("heartbeats", [one_of("heartbeats")]).drop_columns(["listening_since_time"])
    decoded = group_rows([DecodedBatches.of(decode(message_of("heartbeats", rows, schema_version="1.1")))])
    [report] = gateway_reports(decoded)
    assert report.heartbeat is not None
    assert (report.heartbeat.listening_since, report.heartbeat.broker_online) == (None, True)


def test_a_lost_broker_is_one_incident_that_names_the_devices() -> None:
    engine = engine_of(DEVICE, registry=SIX)
    all_heard(engine, 0, 3, "d1", "d2", "d3")
    beat(engine, 4, 20, broker_state="offline")
    assert engine.of(SILENT) == [("silent", "gw1/devices", 14)]
    text = engine.observed[-1].text
    assert text == "gateway gw1: its broker is offline since 2026-05-01 12:04:00 UTC: 3 devices (d1, d2, d3) cannot be heard"
    all_heard(engine, 21, 40, "d1", "d2", "d3")
    assert engine.of(ALIVE)[-1] == ("silent", "gw1/devices", 21)
    assert len(engine.of(SILENT)) == 1


def test_devices_that_fall_silent_together_while_the_broker_is_online_are_one_incident() -> None:
    engine = engine_of(DEVICE, registry=SIX)
    all_heard(engine, 0, 3, "d2", "d3", "d4")
    beat(engine, 4, 40)
    assert engine.of(SILENT) == [("silent", "gw1/devices", 13)]
    assert "3 devices (d2, d3, d4) fell silent together" in engine.observed[-1].text
    assert engine.observed[-1].site_id == "north"


def test_when_one_of_them_is_heard_again_the_incident_ends_and_the_others_are_silent_by_themselves_after_their_time() -> None:
    engine = engine_of(DEVICE, registry=SIX)
    all_heard(engine, 0, 3, "d1", "d2", "d3")
    beat(engine, 4, 29)
    all_heard(engine, 30, 45, "d2")
    assert engine.of(ALIVE)[-1] == ("silent", "gw1/devices", 30)
    assert engine.of(SILENT)[1:] == [("silent", "d1", 40), ("silent", "d3", 40)]


def test_a_sensor_that_is_steadily_behind_is_not_silent() -> None:
    """By its own clock each reading is a quarter of an hour old when it comes."""
    engine = engine_of(DEVICE)
    for minutes in range(60):
        behind = summaries(minutes, last_time=at(minutes - 15), clock_offset_ms=15 * 60_000.0)
        hear(engine, behind, heartbeat(minutes))
    assert engine.of(SILENT) == []
    beat(engine, 60, 75)
    assert engine.of(SILENT) == [("silent", "d1", 69)], "but it is when it falls silent"


def test_a_heartbeat_that_waited_before_it_was_seen_judges_nobody_at_once() -> None:
    engine = engine_of(DEVICE)
    hear(engine, summaries(1), heartbeat(2))
    engine.hear(heartbeat(30), at(32.1))
    assert engine.of(SILENT) == []
    engine.wait(at(36))
    assert engine.of(SILENT) == [("silent", "d1", 11)]


def test_a_pipeline_that_slept_reads_what_waited_before_it_judges_in_whatever_order_it_comes() -> None:
    engine = engine_of(DEVICE)
    all_heard(engine, 0, 5, "d1")
    waiting = [group for minutes in range(6, 200) for group in (summaries(minutes), heartbeat(minutes))]
    engine.sleep(at(200))
    for number, row_group in enumerate(reversed(waiting)):
        engine.hear(row_group, at(200 + number / 100))
    all_heard(engine, 204, 210, "d1")
    assert engine.of(SILENT) == []


def test_while_the_gateway_says_nothing_no_device_of_it_is_silent_but_it_is() -> None:
    engine = engine_of()
    hear(engine, summaries(1), heartbeat(2))
    engine.wait(at(300))
    assert engine.of(SILENT) == [("gone", "gw1", 17)]
    hear(engine, heartbeat(300))
    assert engine.of(ALIVE)[-1] == ("gone", "gw1", 300)
    engine.wait(at(400))
    assert ("gone", "gw1", 315) in engine.of(SILENT)


def test_anything_that_arrives_of_a_gateway_shows_that_it_lives_even_if_it_is_old() -> None:
    engine = engine_of()
    for minutes in range(0, 100, 10):
        hear(engine, summaries(-500 - minutes, received=minutes))
        engine.wait(at(minutes + 10))
    assert engine.of(SILENT) == []


def test_when_the_pipeline_itself_slept_the_gateway_gets_its_time_anew() -> None:
    engine = engine_of(GATEWAY)
    hear(engine, heartbeat(0))
    engine.sleep(at(60))
    for minutes, silent in ((60, False), (74, False), (75, True)):
        engine.wait(at(minutes))
        assert bool(engine.of(SILENT)) == silent, minutes


def test_a_device_that_no_rule_watches_is_not_judged() -> None:
    engine = engine_of(structs.replace(DEVICE, devices=("d2",)), structs.replace(GATEWAY, gateways=("other",)))
    hear(engine, summaries(1), heartbeat(60))
    engine.wait(at(300))
    assert engine.observed == []


def test_a_device_that_stands_nowhere_any_more_is_let_go() -> None:
    until = at(30)
    ended = [replace(row, valid_to=until) if row.device_id == "d1" and row.valid_to is None else row for row in REGISTRY.devices]
    engine = engine_of(DEVICE, registry=replace(REGISTRY, devices=tuple(ended)))
    hear(engine, summaries(1))
    beat(engine, 2, 90)
    assert engine.of(SILENT) == [("silent", "d1", 11)]
    ((rule, device, minutes),) = engine.of(ALIVE)[1:]
    assert (rule, device) == ("silent", "d1")
    assert 30 <= minutes <= 41
    assert ("devices", "d1") not in engine.states


def test_a_device_that_moved_to_another_gateway_is_not_silent() -> None:
    engine = engine_of(DEVICE)
    hear(engine, summaries(0), summaries(1))
    for minutes in range(2, 40):
        hear(engine, summaries(minutes, gateway="gw2"), heartbeat(minutes), heartbeat(minutes, gateway="gw2"))
    assert engine.of(SILENT) == []
    for minutes in range(40, 60):
        hear(engine, heartbeat(minutes), heartbeat(minutes, gateway="gw2"))
    assert engine.of(SILENT) == [("silent", "d1", 49)], "but it is when nobody hears it"


def test_a_gateway_that_is_away_may_hear_a_device_that_the_other_misses_for_a_day() -> None:
    engine = engine_of(DEVICE)
    hear(engine, summaries(0), summaries(1, gateway="gw2"), heartbeat(1, gateway="gw2"))
    for minutes in range(2, 1_500, 2):
        hear(engine, heartbeat(minutes))
        assert engine.of(SILENT) == [] or minutes >= 24 * 60
    assert [(rule, device) for rule, device, _ in engine.of(SILENT)] == [("silent", "d1")]


def test_a_reading_from_the_future_does_not_hide_a_device() -> None:
    engine = engine_of(DEVICE)
    hear(engine, summaries(1, last_time=at(100_000)))
    beat(engine, 2, 20)
    assert engine.of(SILENT) == [("silent", "d1", 11)]


@pytest.mark.parametrize("jump", [-60 * 24 * 365 * 3, -60, 60])
def test_a_clock_of_the_gateway_that_jumps_makes_nobody_silent_and_the_silent_are_found_by_our_time(jump: int) -> None:
    engine = engine_of(DEVICE)
    for minutes in range(60):
        wrong = minutes + (jump if minutes >= 20 else 0)
        heard = [summaries(wrong, device, received=minutes) for device in (("d1", "d2") if minutes < 40 else ("d2",))]
        hear(engine, *heard, heartbeat(wrong, received=minutes))
    ((rule, device, minutes_silent),) = engine.of(SILENT)
    assert (rule, device) == ("silent", "d1")
    assert 48 <= minutes_silent <= 51


def test_a_device_that_was_never_heard_is_told_once_after_its_time_and_resolved_when_it_is_heard() -> None:
    engine = engine_of(structs.replace(DEVICE, never_heard_seconds=3600))
    all_heard(engine, 0, 100, "d2")
    assert engine.of(SILENT) == [("silent", "d1", 60)]
    assert engine.observed[-1].text == "south, d1: not heard yet, expected since 2026-05-01 12:00:00 UTC"
    hear(engine, summaries(101))
    assert engine.of(ALIVE)[-1] == ("silent", "d1", 101)


def test_a_device_that_comes_into_the_registry_gets_its_time_and_one_that_leaves_it_is_let_go() -> None:
    rule = structs.replace(DEVICE, never_heard_seconds=3600)
    engine = engine_of(rule)
    all_heard(engine, 0, 30, "d1", "d2")
    engine.use((rule,), replace(REGISTRY, devices=(*REGISTRY.devices, Device("d3", "soil", "north", ALWAYS, None))))
    all_heard(engine, 31, 100, "d1", "d2")
    assert engine.of(SILENT) == [("silent", "d3", 91)]
    engine.use((rule,), REGISTRY)
    all_heard(engine, 101, 130, "d1", "d2")
    assert [(subject, minutes // 15) for _, subject, minutes in engine.of(ALIVE)[-1:]] == [("d3", 6)]
    assert len(engine.of(SILENT)) == 1


def test_a_pipeline_that_slept_through_the_time_of_a_device_reads_first() -> None:
    engine = engine_of(structs.replace(DEVICE, never_heard_seconds=3600))
    all_heard(engine, 0, 10, "d2")
    engine.sleep(at(600))
    hear(engine, summaries(50, received=600.1))
    engine.wait(at(650))
    assert ("silent", "d1") not in [each[:2] for each in engine.of(SILENT)]


def test_a_batch_reports_of_each_device_its_latest_time_and_site() -> None:
    rows = [summary(device, at(0), last_time=at(minutes)) for device, minutes in (("d1", 1), ("d2", 5), ("d1", 3), ("d1", 2))]
    [report] = gateway_reports(with_sites(rows, at(6), seq=9))
    assert report.devices == {"d1": (micros(at(3)), "south"), "d2": (micros(at(5)), "north")}
    assert (report.epoch, report.seq, report.heartbeat) == (7, 9, None)


@pytest.mark.parametrize("kind", ["inferences", "events", "rejects"])
def test_other_kinds_show_that_the_gateway_lives_and_nothing_else(kind: str) -> None:
    [report] = gateway_reports(with_sites([one_of(kind)], at(1)))
    assert (report.gateway_id, report.devices, report.heartbeat) == ("gw1", {}, None)


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=40))
def test_states_of_a_device_take_turns(course: list[tuple[int, bool]]) -> None:
    engine = engine_of()
    hear(engine, *(heartbeat(minutes) if beats else summaries(minutes) for minutes, beats in sorted(course)))
    states = [each.state for each in engine.observed if each.rule == "silent"]
    assert all(later != SILENT or before != SILENT for before, later in pairwise(states))
