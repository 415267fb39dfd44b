"""Takes one recorded day through each engine, streaming (killed on the way) and in batch mode, and compares what the warehouses hold."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from google.cloud import bigquery

from lab import certify
from lab.acts.analyst import fill_anew
from lab.acts.recorded_day import RecordedDay, Recording, record
from lab.certify import Place, client_of
from lab.console import Console
from lab.engines.engine import BATCH, Engine, Way, ways
from lab.services.stack import Warehouse
from schemas.registry import Registry
from schemas.warehouse import DATASET

OTHER = "engines-other"
"""The project of all ways but the first."""
_FACTS = ("summaries_v1", "inferences_v1", "events_v1", "heartbeats_v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineDay:
    """Is what one engine made of the day. Rows are different rows of fact tables; batches are lost, and shown more than once; `differences`
    are tables and views that are not those of the first engine.
    """

    engine: str
    mode: str
    rows: int
    seconds: float
    lost: int
    repeated: int
    differences: int


def run(directory: Path, warehouse: Warehouse, recorded: RecordedDay, engines: Sequence[Engine], console: Console) -> list[EngineDay]:
    """Runs every way: the first into the warehouse's own project, which stays as it is, and every other into one more. Both have their
    tables. Raises StartFailed.
    """
    recording, found = record(directory, recorded), list[EngineDay]()
    first = warehouse.project
    clients = {project: client_of(warehouse, project) for project in (first, OTHER)}
    for way in ways(engines):
        console.title(f"{way.engine.name}, {way.mode}")
        project = OTHER if found else first
        place = Place(directory / way.folder, warehouse, clients, recording.registry, recording.signatures)
        place.directory.mkdir()
        fill_anew(clients[project], Registry.load(recording.registry))
        began = time.monotonic()
        _through(way, place, project, recording, console)
        seconds = time.monotonic() - began
        differing = certify.certify(clients, first, project, console) if found else set()
        found.append(_outcome(way, clients[project], recording, seconds, len(differing)))
    return found


def _through(way: Way, place: Place, project: str, recording: Recording, console: Console) -> None:
    if way.mode == BATCH:
        certify.load(place, project, recording.files, way.engine.flags)
    else:
        certify.stream(place, project, recording, "auto", console, way.engine.flags)
        certify.recompute(place, project)


def _outcome(way: Way, client: bigquery.Client, recording: Recording, seconds: float, differences: int) -> EngineDay:
    sent = {certify.name(message) for message in (*recording.before, *recording.after) if message.sound}
    shown, stored = _counted(client, "batches", "batch_id"), _counted(client, "batches_v1", "batch_id")
    return EngineDay(
        engine=way.engine.name,
        mode=way.mode,
        rows=sum(_counted(client, table, "concat(batch_id, '/', cast(`row` as string))")[1] for table in _FACTS),
        seconds=round(seconds, 1),
        lost=len(sent) - stored[1],
        repeated=shown[0] - shown[1],
        differences=differences,
    )


def _counted(client: bigquery.Client, relation: str, key: str) -> tuple[int, int]:
    """Returns how many rows there are, and how many different ones."""
    sql = f"select count(*) as total, count(distinct {key}) as different from {DATASET}.{relation}"
    [row] = client.query_and_wait(sql)
    return row.total, row.different
