"""What operators are told: gateways and their stores, what arrived, what was set aside, which models run, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import bigquery

from dash.data import cost, export, fleet, models, trust
from dash.data.span import Span
from tests.dash.data.farm import asked_by, rows
from tests.sql.test_cases import filled

NOW = datetime(2026, 5, 1, 13, tzinfo=UTC)
DAY = Span(NOW - timedelta(days=1), NOW)


@pytest.fixture(scope="module")
def farm(applied: bigquery.Client) -> Iterator[bigquery.Client]:
    with filled(applied, rows("north"), NOW):
        yield applied


def test_a_gateway_says_what_it_runs_and_what_its_store_misses(farm: bigquery.Client) -> None:
    [gateway] = fleet.read(asked_by(farm), NOW)
    assert gateway.sites == ("north",)
    assert gateway.newest == datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
    assert gateway.releases == {"vibration": 3}
    assert gateway.store == fleet.Store(stores=1, replaced=0, missing=2, lost=0, waiting=0, readings_lost=0)


def test_what_is_missing_is_told_by_the_day(farm: bigquery.Client) -> None:
    told = trust.read(asked_by(farm), DAY)
    assert sum(day.received for day in told.days) == 2
    assert sum(day.missing for day in told.days) == 2
    assert told.days[-1].completeness == 0.5
    assert [(late.gateway_id, late.middle_seconds) for late in told.lateness] == [("gw-north", 90)]


def test_a_reject_says_what_to_do_and_how_to_replay_it(farm: bigquery.Client) -> None:
    [rejects] = trust.read(asked_by(farm), DAY).rejects
    assert rejects.site_id == "north"
    assert "look at the bytes" in rejects.remedy
    assert rejects.replay_command == "tinybeam rejects replay --reason malformed_json --from 2026-05-01 --dry_run"


def test_a_release_has_those_that_run_it_and_those_that_refused_it(farm: bigquery.Client) -> None:
    told = models.read(asked_by(farm), NOW, DAY)
    assert [(each.model, each.release, each.gateways, dict(each.refused)) for each in told.rollouts] == [
        ("soil", 4, (), {"gw-north": "it failed its trial"}),
        ("soil", 0, ("gw-north",), {}),
        ("vibration", 3, ("gw-north",), {}),
    ]
    assert told.decisions == (models.Decision("vibration", 3, datetime(2026, 5, 1, 6, tzinfo=UTC), "wait", 10.0, "two days of pump-north"),)
    assert {version.model: dict(version.labels) for version in told.versions} == {"vibration": {"worn": 12}, "soil": {"fine": 1}}


def test_the_bill_takes_the_span_for_a_month(farm: bigquery.Client) -> None:
    told = cost.read(asked_by(farm), DAY)
    assert [(day.batches, day.billed_bytes) for day in told.days] == [(2, 2000)]
    assert told.month[0].amount == 2000 * 30
    assert told.month[0].usd > 0
    assert [(each.gateway_id, each.billed_bytes) for each in told.gateways] == [("gw-north", 2000)]


def test_a_file_has_a_header_and_rows(farm: bigquery.Client) -> None:
    header, first, *_ = export.rows(asked_by(farm), "field", DAY, "north")
    assert header == ("site_id", "time", "mean", "low", "high")
    assert first[0] == "north"
