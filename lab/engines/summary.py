"""Says what came of a run: what summary.json holds, a sentence for each part, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from lab.engines.backlog import Backlog
from lab.engines.day import EngineDay
from lab.engines.kills import Kills
from lab.engines.shards import Shards

_WRONG = ("lost", "repeated", "differences", "left", "wrong_hours", "orphans")
"""What is to be 0, wherever it is counted."""


class Summary(msgspec.Struct, kw_only=True):
    """Is what summary.json holds; what Prism is needed for, or was not asked for, is null."""

    engines: list[EngineDay] = []
    kills: Kills | None = None
    backlog: Backlog | None = None
    shards: Shards | None = None

    def faults(self) -> list[str]:
        """Says what is lost, repeated, different, left or wrong; empty if nothing is."""
        return [
            f"{name}: {getattr(part, count)} {count.replace('_', ' ')}"
            for name, part in self._parts()
            for count in _WRONG
            if getattr(part, count, 0)
        ]

    def sentences(self) -> Iterator[str]:
        for each in self.engines:
            counts = f"{each.lost} lost, {each.repeated} repeated, {each.differences} differences"
            yield f"{each.engine:40} {each.mode:10} {each.rows:7} rows {each.seconds:7.1f} s  {counts}"
        if kills := self.kills:
            counts = f"{kills.lost} lost, {kills.repeated} repeated, {kills.copies} written twice"
            wrong = f"{kills.wrong_hours} hours of rollups wrong, {kills.left} left, {kills.orphans} orphans"
            read = f", {kills.messages_per_second:.0f} messages a second read" if kills.messages_per_second else ""
            yield f"{kills.count} kills, {kills.messages} messages: {counts}, {wrong}{read}"
        if backlog := self.backlog:
            memory = f"the pipeline takes {backlog.pipeline_mb} MB at most, Prism {backlog.engine_mb} MB"
            yield f"{backlog.messages} pending: {backlog.written_per_second:.0f} a second written; {memory}"
        if shards := self.shards:
            counts = f"{shards.lost} lost, {shards.repeated} repeated, {shards.wrong_hours} hours of rollups wrong"
            yield f"{shards.processes} pipelines, {shards.messages} messages: {counts}"

    def _parts(self) -> Iterator[tuple[str, Any]]:
        yield from ((f"{each.engine}, {each.mode}", each) for each in self.engines)
        yield from ((name, part) for name, part in (("kills", self.kills), ("backlog", self.backlog), ("shards", self.shards)) if part)
