"""What pages and files say is what the rows say: counted here by hand, from the rows that were put in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import Any

import pytest
from google.cloud import bigquery

from dash.data import alerts, cost, export, fields, fleet, machines
from dash.data.span import Span
from tests.dash.data.farm import asked_by, rows
from tests.sql.test_cases import filled

NOW = datetime(2026, 5, 1, 13, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SPAN = Span(NOW - DAY, NOW)


def _at(time: datetime) -> str:
    return time.isoformat()


def _windows(seconds: int, begin: datetime, number: int, count: int, value: float) -> list[dict[str, Any]]:
    same = {"site_id": "north", "channel": "moisture", "unit": "m3/m3", "window_seconds": seconds, "count": count}
    one = same | {"sum": value * count, "m2": 0.0, "min": value - 0.01, "max": value + 0.01, "summaries": 1}
    return [one | {"window_start": _at(begin + each * timedelta(seconds=seconds))} for each in range(number)]


SITE_WINDOWS = [
    # Of a day, 20 hours are known by the hour alone, the 21st by the minute, the 22nd by both, but by a few of its minutes; then silence.
    *_windows(3600, NOW - DAY, 20, 60, 0.30),
    *_windows(60, NOW - 4 * HOUR, 60, 1, 0.25),
    *_windows(3600, NOW - 3 * HOUR, 1, 60, 0.20),
    *_windows(60, NOW - 3 * HOUR, 5, 1, 0.90),
]
SCORES = [(HOUR, 6.0, "new"), (2 * HOUR, 4.0, "new"), (8 * DAY, 50.0, "old"), (7 * DAY + 2 * HOUR, 2.5, "new"), (3 * HOUR, 900.0, "old")]
OF_PUMP = {"model": "vibration", "device_id": "pump-north", "label": "worn", "gateway_id": "gw-north", "site_id": "north"}
VERDICTS = [
    OF_PUMP | {"batch_id": "gw-north:8:1", "row": row, "window_start": _at(NOW - ago), "score": score, "model_sha256": sha}
    for row, (ago, score, sha) in enumerate(SCORES)
]
SENT = [(gateway, day, kind, row_count, size) for gateway in ("gw-north", "gw-new") for day in range(3)
        for kind, row_count, size in (("summaries", 10, 3000), ("inferences", 2, 100)) if (gateway, day) != ("gw-new", 0)]  # fmt: skip
ALERTS = 620


@pytest.fixture(scope="module")
def farm(applied: bigquery.Client) -> Iterator[bigquery.Client]:
    tables = rows("north")
    tables["site_windows_v1"] = SITE_WINDOWS
    tables["inferences_v1"] = VERDICTS
    tables["batches_v1"] = [
        {"batch_id": f"{gateway}:9:{seq}", "gateway_id": gateway, "epoch": 9, "seq": seq}
        | {"cut_time": _at(NOW - day * DAY - HOUR), "kind": kind, "row_count": row_count, "body_bytes": size}
        for seq, (gateway, day, kind, row_count, size) in enumerate(SENT, start=1)
    ]
    tables["gateways_v1"] = [
        {"gateway_id": "gw-new", "name": "Zinc barn", "site_id": "north"},
        {"gateway_id": "gw-new", "name": "Barn", "site_id": "north", "public_key": "b", "valid_from": "2026-04-01T00:00:00Z"},
    ]
    opened = [_at(NOW - DAY + number * MINUTE) for number in range(ALERTS)]
    tables["alerts_v1"] = [
        {"alert_id": f"dry:north:{number}", "opened_time": time, "event_time": time, "subject": f"s{number}"}
        for number, time in enumerate(opened)
    ]
    with filled(applied, tables, NOW):
        yield applied


def test_a_day_of_moisture_is_whole_by_minutes_where_they_hold_all_and_by_hours_elsewhere(farm: bigquery.Client) -> None:
    told = fields.read(asked_by(farm), "north", SPAN)
    assert told
    known = {point.time: point.mean for point in told.moisture}
    by_the_hour = {NOW - DAY + hour * HOUR: 0.30 for hour in range(20)} | {NOW - 3 * HOUR: 0.20}
    by_steps = {NOW - 4 * HOUR + step * SPAN.step: 0.25 for step in range(HOUR // SPAN.step)}
    assert known == pytest.approx(by_the_hour | by_steps)
    assert sorted({round(point.high, 9) for point in told.moisture}) == [0.21, 0.26, 0.31]


@pytest.mark.parametrize("span", [SPAN, Span(NOW - 30 * DAY, NOW)])
def test_a_file_of_moisture_is_its_chart(farm: bigquery.Client, span: Span) -> None:
    told = fields.read(asked_by(farm), "north", span)
    assert told
    _, *lines = export.rows(asked_by(farm), "field", span, "north")
    assert [line[1:] for line in lines] == [(point.time, point.mean, point.low, point.high) for point in told.moisture]


def test_a_file_of_a_machine_is_its_chart_and_a_score_is_compared_with_the_same_models(farm: bigquery.Client) -> None:
    told = machines.read(asked_by(farm), "pump-north", Span(NOW - 10 * DAY, NOW))
    assert told
    _, *lines = export.rows(asked_by(farm), "machine", Span(NOW - 10 * DAY, NOW), "pump-north")
    assert [line[1:] for line in lines] == [(point.time, point.mean, point.low, point.high) for point in told.scores]
    assert told.now.times_week_before == mean([6.0, 4.0]) / 2.5
    assert max(point.high for point in told.scores) == 900.0


def test_what_went_up_is_of_the_gateway_that_sent_it_and_its_month_begins_with_its_first_day(farm: bigquery.Client) -> None:
    told = cost.read(asked_by(farm), Span(NOW - 30 * DAY, NOW))
    sent = {"gw-north": (36, 3 * 4000), "gw-new": (24, 2 * 4000)}
    assert {each.gateway_id: (each.rows, each.billed_bytes) for each in told.gateways} == sent
    assert told.rows_by_kind == {"summaries": 50, "inferences": 10}
    assert sum(day.rows for day in told.days) == 60
    first = (NOW - 2 * DAY).replace(hour=0)
    assert told.month[0].amount == pytest.approx(5 * 4000 * 30 * DAY / (NOW - first))


def test_a_gateway_is_called_as_its_newest_key_says(farm: bigquery.Client) -> None:
    assert {each.gateway_id: each.name for each in fleet.states(asked_by(farm), NOW)}["gw-new"] == "Barn"


def test_a_file_has_all_alerts_of_which_a_page_reads_some(farm: bigquery.Client) -> None:
    assert len(alerts.read(asked_by(farm), SPAN)) == alerts.MOST
    assert len(list(export.rows(asked_by(farm), "alerts", SPAN))) == ALERTS + 1
