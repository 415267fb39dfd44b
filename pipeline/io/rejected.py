"""Reads from the warehouse what was set aside, and which of it are facts by now."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from google.cloud.bigquery import ArrayQueryParameter, QueryJobConfig, ScalarQueryParameter

from pipeline.io.warehouse import Warehouse
from pipeline.replay.known_devices import Identity, SetAside
from schemas.records import KINDS, TABLES, Kind

_LONGEST_WAIT = timedelta(days=366)
"""A gateway may have cut a batch so long before it arrived."""


@dataclass(frozen=True, slots=True)
class RejectTables:
    """Reads rejects_v1 and the tables of facts."""

    warehouse: Warehouse

    def set_aside(self, reason: str, since: datetime) -> Iterator[SetAside]:
        """Yields one of each reject_id, the oldest first, with the time at which its batch was received."""
        dataset = self.warehouse.dataset
        sql = (
            f"select rejected.attributes as attributes, rejected.payloadBytes as body, "
            f"coalesce(received.received_time, rejected.timestamp) as received_time "
            f"from {dataset}.rejects_v1 as rejected left join ("
            f"select batch_id, min(received_time) as received_time from {dataset}.batches_v1 where cut_time >= @cut_since group by batch_id"
            f") as received on rejected.batch_id = received.batch_id "
            f"where rejected.timestamp >= @since and rejected.reason = @reason "
            f"qualify row_number() over (partition by rejected.reject_id order by rejected.timestamp) = 1 "
            f"order by received_time"
        )
        parameters = [
            ScalarQueryParameter("since", "TIMESTAMP", since),
            ScalarQueryParameter("cut_since", "TIMESTAMP", since - _LONGEST_WAIT),
            ScalarQueryParameter("reason", "STRING", reason),
        ]
        with self.warehouse.client() as client:
            for row in client.query_and_wait(sql, job_config=QueryJobConfig(query_parameters=parameters)):
                attributes = {attribute["key"]: attribute["value"] for attribute in row.attributes}
                yield SetAside(attributes, row.body, row.received_time)

    def facts(self, kind: Kind, batch_ids: Collection[str], first: datetime, last: datetime) -> set[Identity]:
        table, time = TABLES[KINDS[kind].record].name, KINDS[kind].event_time
        sql = (
            f"select distinct batch_id, `row` as number from {self.warehouse.dataset}.{table} "
            f"where {time} >= @first and {time} <= @last and batch_id in unnest(@batch_ids)"
        )
        parameters = [
            ScalarQueryParameter("first", "TIMESTAMP", first),
            ScalarQueryParameter("last", "TIMESTAMP", last),
            ArrayQueryParameter("batch_ids", "STRING", list(batch_ids)),
        ]
        with self.warehouse.client() as client:
            rows = client.query_and_wait(sql, job_config=QueryJobConfig(query_parameters=parameters))
            return {(row.batch_id, row.number) for row in rows}
