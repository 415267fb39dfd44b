"""A farm leaves as many rows as it says, and each day its own."""

from __future__ import annotations

from datetime import UTC, datetime

from google.cloud import bigquery

from bench.farm import Farm, fill_days


def test_a_farm_of_two_days_has_its_summaries(applied: bigquery.Client) -> None:
    farm = Farm(sites=3, devices=2, days=2, end=datetime(2026, 5, 3, tzinfo=UTC))
    fill_days(applied, farm, lambda _: None)
    counted = applied.query_and_wait(
        "select count(*) as n, count(distinct device_id) as devices, min(window_start) as first_time, max(window_start) as last_time"
        " from tinybeam.summaries_v1 where window_start >= timestamp '2026-01-01'"
    )
    row = next(iter(counted))
    assert row.n == farm.summaries == 3 * 2 * 2 * 96 * 2
    assert row.devices == len(farm.registry.devices) == 6
    assert (row.first_time, row.last_time) == (datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 5, 2, 23, 45, tzinfo=UTC))
