"""Reads what the fact views show, through the real BigQuery client: the oracle's *delivered*."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import pyarrow as pa
from google.cloud import bigquery

from lab.services.warehouse import Warehouse
from lab.witness.oracle import ChannelFacts
from lab.witness.questions import ask
from schemas.datasets import Datasets
from schemas.warehouse import ALL_TIME, DATASET, FOREVER
from sql.service import Target, open_client

VIEWS = ("batches", "summaries", "inferences", "events", "heartbeats", "rejects", "site_windows")

_CHANNEL_FACTS = f"""
select device_id, channel, array_concat_agg(seq_ranges order by window_start) as seq_ranges, sum(if(counts, count, 0)) as total
from tinybeam.counted_summaries(@since, {FOREVER})
where window_start >= @since
group by device_id, channel
"""
_REJECTS = f"""
select payloadBytes as payload, stage, reason
from tinybeam.rejects_between(@since, {FOREVER})
"""
_NEWEST_READINGS = """
select max(last_time) as last_time, batch_id
from tinybeam.summaries_v1
where window_start >= @since and received_time >= @since
group by batch_id
"""
_HEARTBEATS = f"""
select count(distinct gateway_id) as total
from tinybeam.heartbeats_between(@since, {FOREVER})
where broker_state = 'online'
"""


def connect(warehouse: Warehouse) -> bigquery.Client:
    """Returns Google's own client for the local warehouse, with the datasets that the environment names."""
    return open_client(Target(warehouse.project, datasets=Datasets.of_environment()), warehouse.rest_url)


def channel_facts(client: bigquery.Client, since: datetime) -> list[ChannelFacts]:
    """Reads what any gateway heard of every channel of every device, and in rejects those of devices that nobody registered."""
    facts = [ChannelFacts(row.device_id, row.channel, row.seq_ranges, row.total) for row in ask(client, _CHANNEL_FACTS, since=since)]
    unregistered = [reject.payload for reject in ask(client, _REJECTS, since=since) if reject.reason == "unknown_device"]
    return facts + _merged([row for payload in unregistered for row in _rows(payload)])


def rejected_bodies(client: bigquery.Client, since: datetime) -> Mapping[bytes, int]:
    """Counts the messages that gateways rejected, by their bytes."""
    return Counter(bytes(row.payload) for row in ask(client, _REJECTS, since=since) if row.stage.startswith("edge."))


def row_counts(client: bigquery.Client) -> dict[str, int]:
    """Counts the rows of each view."""
    every = " union all ".join(f"select '{view}' as name, count(*) as total from {DATASET}.{view}_between({ALL_TIME})" for view in VIEWS)
    return {row.name: row.total for row in sorted(client.query_and_wait(every), key=lambda row: VIEWS.index(row.name))}


def newest_readings(client: bigquery.Client, since: datetime) -> dict[str, datetime]:
    """Maps each batch of summaries in the warehouse to the time of its newest reading."""
    return {row.batch_id: row.last_time for row in ask(client, _NEWEST_READINGS, since=since)}


def gateways_with_heartbeat(client: bigquery.Client, since: datetime) -> int:
    """Counts the gateways with a heartbeat in the warehouse that is not older than `since` and says that they hear their broker."""
    return next(row.total for row in ask(client, _HEARTBEATS, since=since))


def _rows(payload: bytes) -> Iterator[ChannelFacts]:
    """Reads summaries from an Arrow stream; rows of other kinds name no readings."""
    table = pa.ipc.open_stream(io.BytesIO(payload)).read_all()
    if "seq_ranges" in table.column_names:
        for row in table.select(["device_id", "channel", "seq_ranges", "count"]).to_pylist():
            yield ChannelFacts(row["device_id"], row["channel"], row["seq_ranges"], row["count"])


def _merged(rows: Sequence[ChannelFacts]) -> list[ChannelFacts]:
    """Merges the rows of each device and channel into one."""
    parts_of: dict[tuple[str, str], list[ChannelFacts]] = {}
    for row in rows:
        parts_of.setdefault((row.device_id, row.channel), []).append(row)
    return [
        ChannelFacts(device, channel, [seq for part in parts for seq in part.seq_ranges], sum(part.values for part in parts))
        for (device, channel), parts in parts_of.items()
    ]
