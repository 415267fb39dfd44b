"""Reads what each device measured hour by hour from the facts, as the pipeline's rollups give it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from google.cloud import bigquery

from pipeline.rollup.stats import DeviceHour, HourOfDevices, Key
from schemas.warehouse import DATASET


def hours_between(client: bigquery.Client, begin: datetime, end: datetime, sites: Iterable[str]) -> list[HourOfDevices]:
    """Returns the hours of these sites that start from `begin` to `end`, exclusive."""
    query = f"select * from {DATASET}.device_hours_between(@begin, @end) where site_id in unnest(@sites) order by device_id"
    measured: dict[Key, list[DeviceHour]] = defaultdict(list)
    for row in client.query_and_wait(query, job_config=_parameters(begin, end, sites)):
        key = Key(row["site_id"], row["channel"], row["unit"], int(row["hour"].timestamp()))
        measured[key].append(DeviceHour(row["device_id"], row["count"], row["mean"], row["min"], row["max"]))
    return [HourOfDevices(key, 0, tuple(devices)) for key, devices in measured.items()]


def by_site(hours: Iterable[HourOfDevices]) -> dict[str, list[HourOfDevices]]:
    found: dict[str, list[HourOfDevices]] = defaultdict(list)
    for hour in hours:
        found[hour.key.site_id].append(hour)
    return found


def _parameters(begin: datetime, end: datetime, sites: Iterable[str]) -> bigquery.QueryJobConfig:
    return bigquery.QueryJobConfig(
        query_parameters=[
            bigquery.ArrayQueryParameter("sites", "STRING", sorted(sites)),
            bigquery.ScalarQueryParameter("begin", "TIMESTAMP", begin),
            bigquery.ScalarQueryParameter("end", "TIMESTAMP", end),
        ]
    )
