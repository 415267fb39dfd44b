"""Water balances and alerts follow the recomputed hours, once, on a real warehouse server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import bigquery

from derive.rollups import derive
from derive.rows import append
from pipeline.alerts.engine_twin import EngineTwin
from pipeline.alerts.in_force import RulesInForce
from pipeline.alerts.sources.irrigation import IrrigationSource
from pipeline.alerts.sources.site_window import SiteWindowSource
from pipeline.irrigation.days import rows_of
from pipeline.irrigation.fields import Fields
from pipeline.rollup.stats import DeviceHour, HourOfDevices, Key, Stats
from schemas.envelope import micros
from schemas.records import Alert, Recomputation, Site, Timing
from schemas.registry import Registry
from schemas.rules.irrigation import IrrigationRule
from schemas.rules.site_window import SiteWindowRule
from schemas.warehouse import ALL_TIME
from sql import recomputation
from tests.derive import hostile
from tests.pipeline.rollup.reference import Heard

HOUR = timedelta(hours=1)
Shown = tuple[str, datetime, str, datetime, str]
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
SITE = Site(
    site_id="north",
    name="North",
    latitude=52.0,
    longitude=5.0,
    area_m2=10_000.0,
    soil="loam",
    crop="wheat",
    valid_from=BEGIN - timedelta(days=30),
)
REGISTRY = Registry(
    (SITE,),
    (),
    (
        SiteWindowRule(name="dry", channel="moisture", below=0.12, window_seconds=3600),
        IrrigationRule(name="water", column="need_mm", above=1.0),
    ),
)


def moisture(hour: int) -> float:
    return 0.10 if 24 <= hour < 40 else 0.20


def facts() -> list[Heard]:
    """Three days of two probes, each heard by two gateways."""
    start = int(BEGIN.timestamp())
    return [
        Heard(gateway, device, "m3/m3", start + 3600 * hour, 60, (hour,), (moisture(hour) + shift,))
        for hour in range(72)
        for device, shift in (("d1", 0.0), ("d2", 0.01))
        for gateway in ("gw1", "gw2")
    ]


def recomputed(client: bigquery.Client) -> Recomputation:
    times = recomputation.of_span(BEGIN, BEGIN + timedelta(days=3))
    return derive(client, times, REGISTRY, lambda text: None)


def balances(client: bigquery.Client) -> dict[datetime, float]:
    return {
        row["day"]: row["depletion_mm"]
        for row in client.query_and_wait(f"select day, depletion_mm from tinybeam.irrigation_between({ALL_TIME})")
    }


def alerts(client: bigquery.Client) -> list[Shown]:
    rows = client.query_and_wait(
        f"select rule, opened_time, state, event_time, message from tinybeam.alerts_between({ALL_TIME}) order by rule, opened_time"
    )
    return [tuple(row.values()) for row in rows]


def hour_of_probes(hour: int) -> HourOfDevices:
    key, means = Key("north", "moisture", "m3/m3", int((BEGIN + hour * HOUR).timestamp())), (moisture(hour), moisture(hour) + 0.01)
    return HourOfDevices(key, 0, tuple(DeviceHour(device, 1, mean, mean, mean) for device, mean in zip(("d1", "d2"), means, strict=True)))


def of_a_pipeline_that_misses_nothing() -> list[Shown]:
    """Returns the alerts of a live run that gets each hour when it is over."""
    rules, fields, water = RulesInForce(REGISTRY), Fields(REGISTRY), IrrigationSource(REGISTRY.rules[1:], REGISTRY)
    dry = SiteWindowSource(REGISTRY.rules[:1], REGISTRY)
    twin = EngineTwin(rules)
    for hour in range(72):
        now = micros(BEGIN + (hour + 1) * HOUR)
        key, mean = Key("north", "moisture", "m3/m3", int((BEGIN + hour * HOUR).timestamp())), moisture(hour) + 0.005
        window = key, (3600, key.hour, Stats(count=2, sum=2 * mean, m2=0.0, min=mean, max=mean, summaries=4)), 0, Timing.ON_TIME
        day = replace(rows_of(fields, "north", map(hour_of_probes, range(hour + 1)), BEGIN)[-1], revision=hour)
        for observation in (*dry.observe(window, now), *water.observe(day, now)):
            twin.observe(observation, now)
    twin.pass_time(micros(datetime.now(UTC)))
    latest = {row.alert_id: row for row in twin.rows}.values()
    return sorted((row.rule, row.opened_time, row.state, row.event_time, row.message) for row in latest)


def test_balances_and_alerts_become_what_the_facts_say_and_stay_so(emptied: bigquery.Client) -> None:
    hostile.stored(emptied, hostile.batches(facts()).values())
    first = recomputed(emptied)
    expected = {row.day: row.depletion_mm for row in rows_of(Fields(REGISTRY), "north", map(hour_of_probes, range(72)), BEGIN)}
    assert first.irrigation_days == len(expected) == 3
    assert balances(emptied) == pytest.approx(expected)
    assert [(rule, state, time) for rule, _, state, time, _ in alerts(emptied) if rule == "dry"] == [("dry", "resolved", BEGIN + 40 * HOUR)]
    assert {rule for rule, *_ in alerts(emptied)} == {"dry", "water"}
    assert alerts(emptied) == of_a_pipeline_that_misses_nothing()
    second = recomputed(emptied)
    assert (second.site_windows, second.irrigation_days, second.alert_rows) == (0, 0, 0)


def test_what_a_run_wrote_wrongly_is_put_right(emptied: bigquery.Client) -> None:
    hostile.stored(emptied, hostile.batches(facts()).values())
    recomputed(emptied)
    truth = balances(emptied), alerts(emptied)
    [row] = emptied.query_and_wait(f"select * from tinybeam.irrigation_between({ALL_TIME}) where day = '2026-05-02'")
    columns = ", ".join(f"`{name}`" for name in row.keys())  # noqa: SIM118 - a row of BigQuery is no dict
    wrong = columns.replace("`depletion_mm`", "0.5").replace("`revision`", "9").replace("`as_of`", "current_timestamp()")
    emptied.query_and_wait(
        f"insert into tinybeam.irrigation_v2 ({columns}) select {wrong} "
        f"from tinybeam.irrigation_between({ALL_TIME}) where day = '2026-05-02'"
    )
    emptied.query_and_wait("delete from tinybeam.alerts_v1 where rule = 'dry'")
    assert balances(emptied) != truth[0]
    record = recomputed(emptied)
    assert (record.site_windows, record.irrigation_days, record.alert_rows) == (0, 1, 2)
    assert (balances(emptied), alerts(emptied)) == truth


def test_a_false_alert_is_retracted(emptied: bigquery.Client) -> None:
    hostile.stored(
        emptied, hostile.batches([one for one in facts() if moisture((one.start - int(BEGIN.timestamp())) // 3600) > 0.15]).values()
    )
    false = Alert(
        alert_id=f"dry:north:{micros(BEGIN)}", rule="dry", source="site_window", subject="north", site_id="north", severity="warning",
        state="opened", opened_time=BEGIN, event_time=BEGIN, message="dry", historical=False, notified=True, revision=0, as_of=BEGIN,
    )  # fmt: skip
    append(emptied, Alert, [false])
    recomputed(emptied)
    assert [rule for rule, *_ in alerts(emptied) if rule == "dry"] == []
    [row] = emptied.query_and_wait("select state, message from tinybeam.alerts_v1 where rule = 'dry' and revision = 1")
    assert row["state"] == "retracted"
    assert "all facts together do not support it" in row["message"]
