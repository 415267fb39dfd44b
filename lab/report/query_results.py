"""Asks the warehouse what the report shows, by the analysts' own queries and views, once; as rows of plain values. Times are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from google.cloud import bigquery

from lab.acts.analyst import QUERIES_AT_ONCE
from schemas.warehouse import FOREVER
from sql.questions import ask
from sql.scripts import script

Rows = tuple[Mapping[str, Any], ...]
_QUESTIONS = ("irrigation_this_week",)

_VIEWS: Mapping[str, str] = MappingProxyType(
    {
        "moisture": f"""
            select site_id, timestamp_trunc(window_start, day) as day, safe_divide(sum(sum), sum(count)) as mean, min(unit) as unit
            from tinybeam.site_windows_between(@since, {FOREVER})
            where window_seconds = 3600 and channel = 'moisture'
            group by site_id, day
            order by site_id, day
        """,
        "scores": f"""
            select device_id, site_id, window_start as time, window_seconds, score, label, model_sha256
            from tinybeam.inferences_between(@since, {FOREVER})
            where model = 'vibration'
            order by device_id, time
        """,
        "label_changes": f"""
            select device_id, event_time as time, previous_state, state, value
            from tinybeam.events_between(@since, {FOREVER})
            where cause = 'label' and rule = 'vibration'
            order by device_id, time
        """,
        "irrigation": f"""
            select site_id, day, soil, need_mm, readily_available_mm / (1000 * root_depth) as usable
            from tinybeam.irrigation_between(@since, {FOREVER})
            where need_mm is not null
            order by site_id, day
        """,
        "alerts": """
            -- Of every revision, so of the table: the view shows the latest, and an alert of history may be no longer historical in it.
            select alert_id, logical_and(historical) as historical
            from tinybeam.alerts_v1
            where opened_time >= @since
            group by alert_id
            having countif(state = 'retracted') = 0
        """,
        "completeness": f"""
            select gateway_id, hour, received, missing, declared, completeness
            from tinybeam.completeness_between(@since, {FOREVER})
            order by gateway_id, hour
        """,
        "models": f"""
            select model, model_version, model_sha256, runtime, count(distinct device_id) as devices, count(*) as verdicts,
              min(window_start) as first_window, max(window_start) as last_window
            from tinybeam.inferences_between(@since, {FOREVER})
            group by model, model_version, model_sha256, runtime
            order by model, first_window
        """,
        "transport": f"""
            select kind, count(*) as batches, sum(row_count) as total_rows, sum(raw_bytes) as raw_bytes, sum(body_bytes) as body_bytes
            from tinybeam.batches_between(@since, {FOREVER})
            group by kind
            order by body_bytes desc
        """,
        "spans": f"""
            select batch_id, time_min as first_time
            from tinybeam.batches_between(@since, {FOREVER})
            where kind = 'summaries'
        """,
        "devices": """
            select device_id, coalesce(name, device_id) as name
            from tinybeam.devices
            where @since is not null
        """,
        "sites": """
            select placed.site_id, name, crop, soil, latitude, area_m2, placed.first_device, placed.total_devices, placed.kind
            from tinybeam.sites as site
            inner join (
              select site_id, min(device_id) as first_device, count(*) as total_devices, min(kind) as kind
              from tinybeam.devices
              group by site_id
            ) as placed on site.site_id = placed.site_id
            where @since is not null
            order by first_device
        """,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResults:
    """Holds what each query and view returned, as rows."""

    moisture: Rows
    scores: Rows
    label_changes: Rows
    completeness: Rows
    models: Rows
    transport: Rows
    spans: Rows
    devices: Rows
    sites: Rows
    irrigation: Rows
    alerts: Rows
    irrigation_this_week: Rows


def gather(client: bigquery.Client, since: datetime, now: datetime) -> QueryResults:
    """Asks every question once; no reading is older than `since`. Raises GoogleAPICallError."""
    with ThreadPoolExecutor(QUERIES_AT_ONCE) as pool:
        asked = {name: pool.submit(_ask, client, name, now) for name in _QUESTIONS}
        asked |= {name: pool.submit(_query, client, sql, since) for name, sql in _VIEWS.items()}
    return QueryResults(**{name: answer.result() for name, answer in asked.items()})


def _query(client: bigquery.Client, sql: str, since: datetime) -> Rows:
    parameters = [bigquery.ScalarQueryParameter("since", "TIMESTAMP", since - timedelta(hours=1))]
    return _rows(client.query_and_wait(sql, job_config=bigquery.QueryJobConfig(query_parameters=parameters)))


def _ask(client: bigquery.Client, name: str, now: datetime) -> Rows:
    return _rows(ask(client, script("queries", name), {}, now))


def _rows(rows: Any) -> Rows:
    return tuple(dict(row) for row in rows)
