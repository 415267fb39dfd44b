"""Benchmarks `facts` and `rollups`: rows a second of one core through the pipeline, against a Beam pipeline whose element is a row.

From the bytes of a card file to rows at the sink, on the engine that a laptop uses; the sink counts and keeps nothing. Building the graph
and starting the engine are in it, reading the modules is not. Rows are counted once, though every twentieth batch comes twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

from bench import beams
from bench.baselines import per_row
from bench.figures import Figure, Say, by_turns, cpu_seconds, figure
from bench.messages import Load, registry

UNIT = "rows/s of one core"


class WrongAnswer(Exception):
    """A run gave other rows than it was given: its speed means nothing."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows each run takes, and how many runs count."""

    rows: int
    small_batches: int
    per_row: int
    turns: int


FULL = Size(rows=2_000_000, small_batches=200_000, per_row=80_000, turns=3)
QUICK = Size(rows=4_000, small_batches=2_000, per_row=2_000, turns=1)


def facts(folder: Path, size: Size, say: Say) -> list[Figure]:
    return _measured("facts", beams.facts_only, _facts_of, folder, size, say)


def rollups(folder: Path, size: Size, say: Say) -> list[Figure]:
    return _measured("rollups", beams.whole, _rollups_of, folder, size, say)


def _measured(command: str, build: Any, of_rows: Any, folder: Path, size: Size, say: Say) -> list[Figure]:  # noqa: PLR0913
    """`build` makes our pipeline of a card file, `of_rows` the same work of rows one by one."""
    large, small, rows = _loads(folder, size)
    ways = {
        "500 rows a batch": ours(build, large),
        "50 rows a batch": ours(build, small),
        "a row per element, from JSON": _theirs(rows, lambda pipeline: of_rows(per_row.of_lines(pipeline, rows.lines()))),
        "a row per element, from Arrow": _theirs(rows, lambda pipeline: of_rows(per_row.of_cards(pipeline, rows.cards(), beams.clock))),
    }
    return _compared(command, ways, by_turns(ways, size.turns, say))


def _loads(folder: Path, size: Size) -> tuple[Load, Load, Load]:
    return Load(folder, size.rows, 500), Load(folder, size.small_batches, 50), Load(folder, size.per_row, 500)


def _compared(command: str, ways: dict[str, Any], found: dict[str, float]) -> list[Figure]:
    """Ours against each other way."""
    ours, theirs = list(ways)[:2], list(ways)[2:]
    return [
        figure(f"{command}: {one}, against {other}", found[one], UNIT, found[other], f"python -m bench {command}")
        for one in ours
        for other in theirs
    ]


def ours(build: Callable[[Path], Callable[[beam.Pipeline], Any]], load: Load) -> Callable[[], float]:
    cards = load.cards()
    return lambda: _speed(load, build(cards), {"summaries_v1": load.rows, "batches_v1": load.batches, "rejects_v1": 0})


def _theirs(load: Load, build: Callable[[beam.Pipeline], Any]) -> Callable[[], float]:
    load.cards(), load.lines()
    return lambda: _speed(load, build, {"facts": load.rows})


def _speed(load: Load, build: Callable[[beam.Pipeline], Any], expected: dict[str, int]) -> float:
    """Rows a second of processor time. Raises WrongAnswer."""
    seconds = cpu_seconds(lambda: beams.run(build))
    found = {name: beams.COUNTED[name] for name in expected}
    if found != expected:
        raise WrongAnswer(f"{expected} were to come, {found} came")
    return load.rows / seconds


def _facts_of(rows: PCollection[per_row.Row]) -> PCollection[per_row.Row]:
    return per_row.facts(rows, {device.device_id: device.site_id for device in registry().devices})


def _rollups_of(rows: PCollection[per_row.Row]) -> None:
    per_row.rollups(_facts_of(rows))
