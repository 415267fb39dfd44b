"""Runs what the page about engines says: the day, the kills, the backlog and the shards; figures go to summary.json."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from lab.acts.analyst import fill_anew, prepare
from lab.acts.recorded_day import RecordedDay
from lab.certify import client_of
from lab.console import Console
from lab.engines import backlog, day, kills, prism, shards, worker
from lab.engines.backlog import Backlog
from lab.engines.day import OTHER
from lab.engines.engine import DIRECT, PRISM
from lab.engines.kills import Kills, Plan
from lab.engines.load import Load, registry
from lab.engines.stand import Servers, Stand
from lab.engines.summary import Summary
from lab.engines.worker import Workers
from lab.folder import emptied
from lab.services.stack import PubSub, Warehouse
from lab.witness import delivered
from sql import application

SUMMARY = "summary.json"
PROGRAMS = Path("build/bin")
_RATE = 40.0
"""Messages a second while pipelines are killed."""
_MOST_MESSAGES_A_KILL = 1_500


class Size(msgspec.Struct, frozen=True):
    """Says how often is killed, how many messages are pending, how long the day is, and how many messages several pipelines share; 0 leaves
    a part out.
    """

    kills: int
    pending: int
    hours: int
    shared: int


def run(directory: Path, size: Size, seed: int, console: Console) -> bool:
    """Runs everything, what Prism is needed for where it can be had. Returns whether all is sound. Raises StartFailed."""
    console.log(f"the seed is {seed}")
    has_prism = prism.provided(PROGRAMS, console.log)
    directory = emptied(directory)
    with Warehouse(directory) as warehouse:
        place = _Place(directory, warehouse, datetime.now(UTC), seed, console)
        summary = _measured(place, size, has_prism=has_prism)
    for sentence in summary.sentences():
        console.show(sentence)
    faults = summary.faults()
    console.log(
        f"{'NOT sound: ' + '; '.join(faults) if faults else 'sound, nothing is lost, repeated or different'}: {directory / SUMMARY}"
    )
    return not faults


def _measured(place: _Place, size: Size, *, has_prism: bool) -> Summary:
    """Runs the parts, what is short first."""
    summary = Summary()
    place.apply()
    if has_prism and size.shared:
        summary.shards = place.shards(size.shared)
        place.write(summary)
    if has_prism and size.pending:
        summary.backlog = place.backlog(size.pending)
        place.write(summary)
    if has_prism and size.kills:
        read = summary.backlog.read_per_second if summary.backlog else 0.0
        summary.kills = replace(place.kills(size.kills), messages_per_second=read)
        place.write(summary)
    if size.hours:
        summary.engines = place.day(size.hours, has_prism=has_prism)
    place.write(summary)
    return summary


@dataclass(frozen=True, slots=True)
class _Place:
    """Holds where and when the parts run: one warehouse, whose project is emptied for each, and a Pub/Sub of its own for each."""

    directory: Path
    warehouse: Warehouse
    now: datetime
    seed: int
    console: Console

    def apply(self) -> None:
        """Makes the tables of the warehouse's own project."""
        prepare(delivered.connect(self.warehouse), registry(), self.console.status)

    def day(self, hours: int, *, has_prism: bool) -> list[day.EngineDay]:
        application.apply(client_of(self.warehouse, OTHER), None, self.console.status)
        with ExitStack() as running:
            engines = [DIRECT, PRISM] if has_prism else [DIRECT]
            if has_prism and worker.provided(self.console.log):
                engines.append(running.enter_context(Workers(self._folder("workers"))).engine)
            recorded = RecordedDay.until(self.now, hours, self.seed)
            return day.run(self._folder("day"), self.warehouse, recorded, engines, self.console)

    def kills(self, count: int) -> Kills:
        load, plan = Load.until(self.now, count * _MOST_MESSAGES_A_KILL), Plan(count, _RATE, self.seed)
        with self._servers(f"{count} kills", "kills") as (servers, folder), closing(Stand(folder, servers)) as stand:
            return kills.run(stand, load, plan, self.console)

    def backlog(self, pending: int) -> Backlog:
        load = Load.until(self.now, pending, repeated=0.0)
        with self._servers(f"{pending} messages pending", "backlog") as (servers, folder), closing(Stand(folder, servers)) as stand:
            return backlog.run(stand, load, self.console)

    def shards(self, messages: int) -> shards.Shards:
        load = Load.until(self.now, messages, shards=3)
        with self._servers(f"{load.shards} pipelines", "shards") as (servers, folder), ExitStack() as open_stands:
            stands = [open_stands.enter_context(closing(Stand(folder, servers, f"-{number}"))) for number in range(1, load.shards + 1)]
            return shards.run(stands, load, self.console)

    def write(self, summary: Summary) -> None:
        (self.directory / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(summary)) + b"\n")

    @contextmanager
    def _servers(self, title: str, name: str) -> Iterator[tuple[Servers, Path]]:
        """Empties the warehouse's own project, and starts a Pub/Sub."""
        self.console.title(title)
        began, folder = time.monotonic(), self._folder(name)
        fill_anew(delivered.connect(self.warehouse), registry())
        with PubSub(folder) as pubsub:
            yield Servers(self.warehouse, pubsub), folder
        self.console.log(f"{title} took {time.monotonic() - began:.0f} s")

    def _folder(self, name: str) -> Path:
        (self.directory / name).mkdir()
        return self.directory / name
