"""Reads what the fact views show, through the real BigQuery client: the oracle's *delivered*."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import pyarrow as pa
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from lab.services.warehouse import Warehouse
from lab.witness.oracle import Shown
from schemas.warehouse import DATASET

VIEWS = ("batches", "summaries", "inferences", "events", "heartbeats", "rejects", "site_windows")

_SHOWN = """
select device_id, channel, array_concat_agg(seq_ranges order by window_start) as seq_ranges, sum(count) as total
from tinybeam.summaries
where window_start >= @since
group by device_id, channel
"""
_REJECTS = """
select payloadBytes as payload, stage, reason
from tinybeam.rejects
where timestamp >= @since
"""
_CONFIRMATIONS = """
select max(last_time) as last_time, batch_id
from tinybeam.summaries_v1
where window_start >= @since and received_time >= @since
group by batch_id
"""
_HEARD = """
select count(distinct gateway_id) as heard
from tinybeam.heartbeats
where heartbeat_time >= @since
"""


def connect(warehouse: Warehouse) -> bigquery.Client:
    options = {"api_endpoint": warehouse.rest_url}
    return bigquery.Client(project=warehouse.project, credentials=AnonymousCredentials(), client_options=options)


def shown(client: bigquery.Client, since: datetime) -> list[Shown]:
    """Every channel of every device in `summaries`, and in rejects those that came from devices that nobody registered."""
    facts = [Shown(row.device_id, row.channel, row.seq_ranges, row.total) for row in _ask(client, _SHOWN, since)]
    strangers = [reject.payload for reject in _ask(client, _REJECTS, since) if reject.reason == "unknown_device"]
    return facts + _merged([row for payload in strangers for row in _rows(payload)])


def set_aside(client: bigquery.Client, since: datetime) -> Mapping[bytes, int]:
    """The bytes that gateways set aside, and how often each is shown."""
    return Counter(bytes(row.payload) for row in _ask(client, _REJECTS, since) if row.stage.startswith("edge."))


def row_counts(client: bigquery.Client) -> dict[str, int]:
    """Rows of each view."""
    every = " union all ".join(f"select '{view}' as name, count(*) as total from {DATASET}.{view}" for view in VIEWS)
    return {row.name: row.total for row in sorted(client.query_and_wait(every), key=lambda row: VIEWS.index(row.name))}


def newest_readings(client: bigquery.Client, since: datetime) -> dict[str, datetime]:
    """Batches of summaries that are in the warehouse -> time of the newest reading in each."""
    return {row.batch_id: row.last_time for row in _ask(client, _CONFIRMATIONS, since)}


def gateways_heard(client: bigquery.Client, since: datetime) -> int:
    """How many gateways have sent a heartbeat since then that is in the warehouse."""
    return next(row.heard for row in _ask(client, _HEARD, since))


def _ask(client: bigquery.Client, sql: str, since: datetime) -> Iterator[bigquery.Row]:
    config = bigquery.QueryJobConfig(query_parameters=[bigquery.ScalarQueryParameter("since", "TIMESTAMP", since)])
    return iter(client.query_and_wait(sql, job_config=config))


def _rows(payload: bytes) -> Iterator[Shown]:
    """Summaries in an Arrow stream; rows of other kinds name no readings."""
    table = pa.ipc.open_stream(io.BytesIO(payload)).read_all()
    if "seq_ranges" in table.column_names:
        for row in table.select(["device_id", "channel", "seq_ranges", "count"]).to_pylist():
            yield Shown(row["device_id"], row["channel"], row["seq_ranges"], row["count"])


def _merged(rows: Sequence[Shown]) -> list[Shown]:
    """One for each device and channel."""
    held: dict[tuple[str, str], list[Shown]] = {}
    for row in rows:
        held.setdefault((row.device_id, row.channel), []).append(row)
    return [
        Shown(device, channel, [seq for part in parts for seq in part.seq_ranges], sum(part.values for part in parts))
        for (device, channel), parts in held.items()
    ]
