"""Gateways are updated one by one to a release with a new column, and the tables are older than the pipeline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import zstandard

from lab.acts.analyst import prepare
from lab.drills import scenery
from lab.drills.drill import Ground, Outcome, judged
from lab.drills.scenery import BEGIN, NORTH, REGISTRY, SOUTH, TEN_MINUTES, probe
from lab.drills.signed import signed
from lab.drills.stage import messages
from lab.services.stack import StartFailed
from pipeline.body import rows_of
from pipeline.elements import ReceivedMessage
from schemas.registry import Registry

NAME = "schema-change"
STORY = "A gateway has a column more than anybody knows, another one less, and a table is behind the pipeline: no row is lost or refused."

_END = BEGIN + timedelta(hours=6)
_OLD_COLUMN, _NEW_COLUMN = "clock_offset_ms", "battery_mv"
_BATTERY = 3012


def run(ground: Ground) -> Outcome:
    stage = scenery.stage(ground, probe(1, NORTH), probe(2, NORTH), probe(3, SOUTH))
    stage.power_on(BEGIN)
    sent = [_changed(message) for message in messages(stage.play(BEGIN, _END, TEN_MINUTES) + stage.finish(_END))]
    ground.client.query_and_wait(f"alter table tinybeam.summaries_v1 drop column {_OLD_COLUMN}")
    refused = _is_refused(ground, sent)
    prepare(ground.client, Registry.load(REGISTRY), ground.console.status)
    scenery.load(ground, "after-apply", sent)
    scenery.recompute(ground)
    return judged(
        ground,
        stage.log,
        scenery.site_of,
        {
            "a pipeline that is newer than its tables does not start": refused,
            "what the new gateway says more is kept": _batteries(ground) == {_BATTERY},
            "no row is a reject": next(iter(ground.client.query_and_wait("select count(*) as n from tinybeam.rejects_v1"))).n == 0,
        },
    )


def _is_refused(ground: Ground, sent: Sequence[ReceivedMessage]) -> bool:
    """Returns whether the pipeline refuses tables that lack a column, by name and with the cure."""
    try:
        scenery.load(ground, "before-apply", sent)
    except StartFailed as error:
        return _OLD_COLUMN in str(error) and "sql apply" in str(error)
    return False


def _changed(message: ReceivedMessage) -> ReceivedMessage:
    """Returns the message as a newer gateway in the north, and an older one in the south, would have sent it."""
    if message.attributes["kind"] != "summaries":
        return message
    rows = pa.Table.from_batches([rows_of(message.body)])
    if message.attributes["gateway_id"] == NORTH:
        rows = rows.append_column(_NEW_COLUMN, pa.array([_BATTERY] * rows.num_rows, pa.int64()))
    else:
        rows = rows.drop_columns([_OLD_COLUMN])
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, rows.schema) as writer:
        writer.write_table(rows)
    raw = stream.getvalue().to_pybytes()
    attributes = {**message.attributes, "raw_bytes": str(len(raw))}
    return signed(replace(message, attributes=attributes, body=zstandard.compress(raw)))


def _batteries(ground: Ground) -> set[int]:
    rows = ground.client.query_and_wait(f"select extras from tinybeam.summaries_v1 where gateway_id = '{NORTH}'")
    return {json.loads(row.extras or "{}").get(_NEW_COLUMN) for row in rows}
