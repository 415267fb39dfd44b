"""Water balances and alerts follow the recomputed hours, once, on a real warehouse server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import bigquery

from derive.rollups import derive
from derive.rows import append
from pipeline.irrigation.days import rows_of
from pipeline.irrigation.fields import Fields
from pipeline.rollup.stats import DeviceHour, HourOfDevices, Key
from schemas.records import Alert, Recomputation, Site
from schemas.registry import Registry
from schemas.rules.irrigation import IrrigationRule
from schemas.rules.site_window import SiteWindowRule
from sql import recomputation
from tests.derive import hostile
from tests.pipeline.rollup.reference import Heard

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
    return {row["day"]: row["depletion_mm"] for row in client.query_and_wait("select day, depletion_mm from tinybeam.irrigation")}


def alerts(client: bigquery.Client) -> list[tuple[str, str, datetime, str]]:
    rows = client.query_and_wait("select rule, state, event_time, message from tinybeam.alerts order by rule, opened_time")
    return [tuple(row.values()) for row in rows]


def test_balances_and_alerts_become_what_the_facts_say_and_stay_so(emptied: bigquery.Client) -> None:
    hostile.stored(emptied, hostile.batches(facts()).values())
    first = recomputed(emptied)
    expected = {
        row.day: row.depletion_mm
        for row in rows_of(
            Fields(REGISTRY),
            "north",
            [
                HourOfDevices(
                    Key("north", "moisture", "m3/m3", int(BEGIN.timestamp()) + 3600 * hour),
                    0,
                    tuple(
                        DeviceHour(device, 1, moisture(hour) + shift, moisture(hour) + shift, moisture(hour) + shift)
                        for device, shift in (("d1", 0.0), ("d2", 0.01))
                    ),
                )
                for hour in range(72)
            ],
            BEGIN,
        )
    }
    assert first.irrigation_days == len(expected) == 3
    assert balances(emptied) == pytest.approx(expected)
    assert [(rule, state, time) for rule, state, time, _ in alerts(emptied)] == [
        ("dry", "resolved", BEGIN + timedelta(hours=40)),
        ("water", "opened", BEGIN + timedelta(hours=23)),
    ]
    second = recomputed(emptied)
    assert (second.site_windows, second.irrigation_days, second.alert_rows) == (0, 0, 0)


def test_what_a_run_wrote_wrongly_is_put_right(emptied: bigquery.Client) -> None:
    hostile.stored(emptied, hostile.batches(facts()).values())
    recomputed(emptied)
    truth = balances(emptied), alerts(emptied)
    [row] = emptied.query_and_wait("select * from tinybeam.irrigation where day = '2026-05-02'")
    columns = ", ".join(f"`{name}`" for name in row.keys())  # noqa: SIM118 - a row of BigQuery is no dict
    wrong = columns.replace("`depletion_mm`", "0.5").replace("`revision`", "9").replace("`as_of`", "current_timestamp()")
    emptied.query_and_wait(
        f"insert into tinybeam.irrigation_v2 ({columns}) select {wrong} from tinybeam.irrigation where day = '2026-05-02'"
    )
    emptied.query_and_wait("delete from tinybeam.alerts_v1 where rule = 'dry'")
    assert balances(emptied) != truth[0]
    record = recomputed(emptied)
    assert (record.site_windows, record.irrigation_days, record.alert_rows) == (0, 1, 2)
    assert (balances(emptied), alerts(emptied)) == truth


def test_a_false_alert_is_closed(emptied: bigquery.Client) -> None:
    hostile.stored(
        emptied, hostile.batches([one for one in facts() if moisture((one.start - int(BEGIN.timestamp())) // 3600) > 0.15]).values()
    )
    false = Alert(
        alert_id="dry:north:1", rule="dry", source="site_window", subject="north", site_id="north", severity="warning", state="opened",
        opened_time=BEGIN, event_time=BEGIN, message="dry", historical=False, revision=0, as_of=BEGIN,
    )  # fmt: skip
    append(emptied, Alert, [replace(false, alert_id=f"dry:north:{int(BEGIN.timestamp())}")])
    recomputed(emptied)
    [(rule, state, _, message), *_] = alerts(emptied)
    assert (rule, state) == ("dry", "resolved")
    assert "corrected by recomputation" in message
