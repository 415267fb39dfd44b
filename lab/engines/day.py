"""Takes one recorded day through each engine, streaming (killed on the way) and in batch mode, and compares what the warehouses hold."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from google.cloud import bigquery

from lab import certify
from lab.acts.recorded_day import RecordedDay, Recording, record
from lab.certify import Place
from lab.console import Console
from lab.services.stack import Warehouse
from schemas.warehouse import DATASET

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


@dataclass(frozen=True, slots=True)
class Way:
    """Is an engine and a mode."""

    engine: str
    mode: str

    @property
    def project(self) -> str:
        return f"engines-{self.engine.removesuffix('Runner').lower()}-{self.mode}"


def ways(engines: list[str]) -> list[Way]:
    """Returns batch mode first: what it holds is what the others are compared with."""
    return [Way(engine, mode) for mode in ("batch", "streaming") for engine in engines]


def run(directory: Path, warehouse: Warehouse, recorded: RecordedDay, engines: list[str], console: Console) -> list[EngineDay]:
    """Runs every way. Raises StartFailed."""
    recording, found = record(directory, recorded), list[EngineDay]()
    first = ways(engines)[0].project
    place = Place(directory, warehouse, {way.project: certify.client_of(warehouse, way.project) for way in ways(engines)})
    for way in ways(engines):
        console.title(f"{way.engine}, {way.mode}")
        certify.prepare_tables(place, way.project, console.status)
        began = time.monotonic()
        _through(way, place, recording, console)
        seconds = time.monotonic() - began
        differing = certify.certify(place.clients, first, way.project, console) if way.project != first else set()
        found.append(_outcome(way, place.clients[way.project], recording, seconds, len(differing)))
    return found


def _through(way: Way, place: Place, recording: Recording, console: Console) -> None:
    if way.mode == "batch":
        certify.load(place, way.project, recording.files, way.engine)
    else:
        certify.stream(place, way.project, recording, "auto", console, way.engine)
        certify.recompute(place, way.project)


def _outcome(way: Way, client: bigquery.Client, recording: Recording, seconds: float, differences: int) -> EngineDay:
    sent = {certify.name(message) for message in (*recording.before, *recording.after) if message.sound}
    shown, stored = _counted(client, "batches", "batch_id"), _counted(client, "batches_v1", "batch_id")
    return EngineDay(
        engine=way.engine,
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
