"""Reads from the warehouse what was set aside, what of it is in the tables by now, and writes down what was replayed."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from google.cloud.bigquery import ArrayQueryParameter, QueryJobConfig, ScalarQueryParameter

from pipeline.elements import TableRows
from pipeline.io import warehouse
from pipeline.io.warehouse import Warehouse
from pipeline.refused import AUTH, STAGES
from pipeline.replay.elements import Identity, Selection, SetAside
from schemas.message import unfolded
from schemas.records import KINDS, TABLES, Kind
from schemas.warehouse import ALL_TIME, FOREVER

Grouping = Literal["reason", "stage", "gateway", "device", "day"]
"""By what rejects are counted."""

_LONGEST_WAIT = timedelta(days=366)
"""A gateway may have cut a batch so long before it arrived."""

_COLUMNS: dict[Grouping, str] = {
    "reason": "stage, reason",
    "stage": "stage",
    "gateway": "gateway_id as gateway",
    "device": "device_id as device",
    "day": "date(timestamp) as day",
}
_OF_DEVICES = (
    "(rejected.device_id in unnest(@devices) "
    "or exists (select 1 from unnest(rejected.readings) as reading where reading.device_id in unnest(@devices)))"
)
_Parameter = ScalarQueryParameter | ArrayQueryParameter


@dataclass(frozen=True, slots=True)
class RejectTables:
    """Reads rejects_v1, replays_v1 and the tables of facts; to list rejects, what the view shows of any time."""

    warehouse: Warehouse

    def set_aside(self, selection: Selection) -> Iterator[SetAside]:
        """Yields one of each reject_id, the oldest first, with the time at which its batch was received; what was not believed has no
        batch.
        """
        where, parameters = _meant(selection)
        sql = (
            f"select rejected.reject_id as reject_id, rejected.stage as stage, rejected.reason as reason, "
            f"rejected.attributes as attributes, rejected.payloadBytes as body, "
            f"if(rejected.stage = '{AUTH}', rejected.timestamp, coalesce(received.received_time, rejected.timestamp)) as received_time, "
            f"coalesce(replays.rows_in, 0) as rows_in "
            f"from tinybeam.rejects_v1 as rejected left join ("
            f"select batch_id, min(received_time) as received_time from tinybeam.batches_v1 where cut_time >= @cut_since group by batch_id"
            f") as received on rejected.batch_id = received.batch_id left join ("
            f"select reject_id, max(rows_in) as rows_in from tinybeam.replays_v1 group by reject_id"
            f") as replays on rejected.reject_id = replays.reject_id "
            f"where {where} "
            f"qualify row_number() over (partition by rejected.reject_id order by rejected.timestamp) = 1 "
            f"order by received_time"
        )
        cut_since = ScalarQueryParameter("cut_since", "TIMESTAMP", selection.first - _LONGEST_WAIT)
        for row in self._ask(sql, [*parameters, cut_since]):
            attributes = {attribute["key"]: attribute["value"] for attribute in row["attributes"]}
            yield SetAside(**{**row, **_as_sent(row["stage"], attributes, row["body"])})

    def facts(self, kind: Kind, batch_ids: Collection[str], first: datetime, last: datetime) -> set[Identity]:
        table, time = TABLES[KINDS[kind].record].name, KINDS[kind].event_time
        number = "`row`" if TABLES[KINDS[kind].record].identified else "cast(split(reject_id, ':')[safe_offset(3)] as int64)"
        sql = (
            f"select distinct batch_id, {number} as number from tinybeam.{table} "
            f"where {time} >= @first and {time} <= @last and batch_id in unnest(@batch_ids)"
        )
        return {(row["batch_id"], row["number"]) for row in self._ask(sql, _bounded(batch_ids, first, last))}

    def batches(self, batch_ids: Collection[str], first: datetime, last: datetime) -> set[str]:
        sql = (
            "select distinct batch_id from tinybeam.batches_v1 "
            "where cut_time >= @first and cut_time <= @last and batch_id in unnest(@batch_ids)"
        )
        return {row["batch_id"] for row in self._ask(sql, _bounded(batch_ids, first, last))}

    def note(self, rows: TableRows, run: str) -> None:
        """Writes rows of one table by one load job, named after the run."""
        parquet = io.BytesIO()
        pq.write_table(pa.Table.from_batches([rows.rows]), parquet)
        warehouse.load(self.warehouse, rows.table, f"tinybeam_{run}_{rows.table}", parquet, Random())

    def groups(self, selection: Selection, by: Grouping) -> list[dict[str, Any]]:
        """Counts rejects, the most frequent first: how many, the first and the last of them, and how many were replayed whole."""
        where, parameters = _meant(selection)
        sql = (
            f"select {_COLUMNS[by]}, count(*) as rejects, min(timestamp) as first, max(timestamp) as last, "
            f"countif(rows_left = 0) as replayed, any_value(errorMessage) as for_example "
            f"from {_shown(selection)} as rejected where {where} group by all order by rejects desc, last desc"
        )
        return list(self._ask(sql, parameters))

    def whole(self, selection: Selection) -> Iterator[dict[str, Any]]:
        """Yields rejects with all their columns, the oldest first."""
        where, parameters = _meant(selection)
        yield from self._ask(f"select * from {_shown(selection)} as rejected where {where} order by timestamp", parameters)

    def named(self, beginning: str, most: int) -> list[dict[str, Any]]:
        """Returns the rejects whose identity begins so, a few at most."""
        sql = f"select * from tinybeam.rejects_between({ALL_TIME}) where starts_with(reject_id, @beginning) order by timestamp limit {most}"
        return list(self._ask(sql, [ScalarQueryParameter("beginning", "STRING", beginning)]))

    def _ask(self, sql: str, parameters: Iterable[_Parameter]) -> Iterator[dict[str, Any]]:
        with self.warehouse.client() as client:
            for row in client.query_and_wait(
                self.warehouse.datasets.sql(sql), job_config=QueryJobConfig(query_parameters=list(parameters))
            ):
                yield dict(row.items())


def _shown(selection: Selection) -> str:
    """Returns what the view rejects shows, of the time of the selection."""
    return f"tinybeam.rejects_between(@since, {'@until' if selection.last else FOREVER})"


def _meant(selection: Selection) -> tuple[str, list[_Parameter]]:
    """Returns the condition that a reject is meant, with its parameters."""
    conditions = ["rejected.timestamp >= @since"]
    parameters: list[_Parameter] = [ScalarQueryParameter("since", "TIMESTAMP", selection.first)]
    if selection.last:
        conditions.append("rejected.timestamp < @until")
        parameters.append(ScalarQueryParameter("until", "TIMESTAMP", selection.last))
    for name, values, condition in (
        ("reasons", selection.reasons, "rejected.reason in unnest(@reasons)"),
        ("stages", selection.stages, "rejected.stage in unnest(@stages)"),
        ("gateways", selection.gateways, "rejected.gateway_id in unnest(@gateways)"),
        ("devices", selection.devices, _OF_DEVICES),
    ):
        if values:
            conditions.append(condition)
            parameters.append(ArrayQueryParameter(name, "STRING", list(values)))
    return " and ".join(conditions), parameters


def _as_sent(stage: str, attributes: dict[str, str], body: bytes) -> dict[str, Any]:
    """Returns attributes and body; of a message that an older pipeline did not understand, what is folded before the body is taken out."""
    if stage in STAGES:
        attributes, body = unfolded(attributes, body)
    return {"attributes": attributes, "body": body}


def _bounded(batch_ids: Collection[str], first: datetime, last: datetime) -> list[_Parameter]:
    return [
        ScalarQueryParameter("first", "TIMESTAMP", first),
        ScalarQueryParameter("last", "TIMESTAMP", last),
        ArrayQueryParameter("batch_ids", "STRING", list(batch_ids)),
    ]
