"""Runs what the page about engines says: the day, the kills and the backlog; figures go to summary.json."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from lab.acts.recorded_day import RecordedDay
from lab.console import Console
from lab.engines import backlog, day, kills, prism
from lab.engines.backlog import Backlog
from lab.engines.day import EngineDay
from lab.engines.kills import Kills, Plan
from lab.engines.load import Load
from lab.engines.stand import Stand
from lab.folder import emptied
from lab.services.stack import PubSub, Warehouse

DIRECT, PRISM = "DirectRunner", "PrismRunner"
SUMMARY = "summary.json"
PROGRAMS = Path("build/bin")
_MESSAGES_A_KILL = 480
_RATE = 24.0
_Found = TypeVar("_Found")


class Summary(msgspec.Struct, kw_only=True):
    """Is what summary.json holds; what Prism is needed for is null without it."""

    engines: list[EngineDay]
    kills: Kills | None = None
    backlog: Backlog | None = None

    @property
    def sound(self) -> bool:
        days = all(not (each.lost or each.repeated or each.differences) for each in self.engines)
        return days and (self.kills is None or self.kills.sound)


class Size(msgspec.Struct, frozen=True):
    """Says how often is killed, how many messages are pending, and how long the day is; 0 leaves a part out."""

    kills: int
    pending: int
    hours: int


def run(directory: Path, size: Size, seed: int, console: Console) -> bool:
    """Runs everything, what Prism is needed for where it can be had. Returns whether all is sound. Raises StartFailed."""
    console.log(f"the seed is {seed}")
    has_prism = prism.provided(PROGRAMS, console.log)
    place = _Place(emptied(directory), datetime.now(UTC), seed, console)
    summary = Summary(engines=[])
    if has_prism and size.kills:
        summary.kills = place.kills(size.kills)
    if has_prism and size.pending:
        summary.backlog = place.backlog(size.pending)
        if summary.kills:
            summary.kills = replace(summary.kills, messages_per_second=summary.backlog.read_per_second)
    place.write(summary)
    if size.hours:
        summary.engines = place.day(size.hours, [DIRECT, PRISM] if has_prism else [DIRECT])
    place.write(summary)
    console.show("\n".join(map(_line, summary.engines)))
    if summary.kills:
        console.show(_kills_line(summary.kills))
    console.log(f"{'sound' if summary.sound else 'NOT sound'}: {directory / SUMMARY}")
    return summary.sound


@dataclass(frozen=True, slots=True)
class _Place:
    """Holds where and when the parts run, each on servers of its own."""

    directory: Path
    now: datetime
    seed: int
    console: Console

    def kills(self, count: int) -> Kills:
        load, plan = Load(count * _MESSAGES_A_KILL, self.now), Plan(count, _RATE, self.seed)
        return self._on_stand(f"{count} kills", "kills", lambda stand: kills.run(stand, load, plan, self.console))

    def backlog(self, pending: int) -> Backlog:
        load = Load(pending, self.now, repeated=0.0)
        found = self._on_stand(f"{pending} messages pending", "backlog", lambda stand: backlog.run(stand, load, self.console))
        memory = f"the pipeline takes {found.pipeline_mb} MB at most, Prism {found.engine_mb} MB"
        self.console.log(f"{found.written_per_second:.0f} messages a second are written; {memory}")
        return found

    def day(self, hours: int, engines: list[str]) -> list[EngineDay]:
        folder = self.directory / "day"
        folder.mkdir()
        with Warehouse(folder) as warehouse:
            return day.run(folder, warehouse, RecordedDay.until(self.now, hours, self.seed), engines, self.console)

    def write(self, summary: Summary) -> None:
        (self.directory / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(summary)) + b"\n")

    def _on_stand(self, title: str, name: str, part: Callable[[Stand], _Found]) -> _Found:
        self.console.title(title)
        folder = self.directory / name
        folder.mkdir()
        with Warehouse(folder) as warehouse, PubSub(folder) as pubsub, closing(Stand(folder, warehouse, pubsub)) as stand:
            stand.prepare(self.console.status)
            found = part(stand)
        self.console.show(str(found))
        return found


def _kills_line(found: Kills) -> str:
    read = f", {found.messages_per_second:.0f} messages a second read" if found.messages_per_second else ""
    return f"{found.count} kills: {found.lost} lost, {found.repeated} repeated, {found.wrong_hours} hours of rollups wrong{read}"


def _line(each: EngineDay) -> str:
    counts = f"{each.lost} lost, {each.repeated} repeated, {each.differences} differences"
    return f"{each.engine:14} {each.mode:10} {each.rows:7} rows {each.seconds:7.1f} s  {counts}"
