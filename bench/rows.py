"""Runs the benchmarks `facts` and `rollups`: rows a second of one core, against a Beam pipeline whose element is a row.

From the bytes of an export file to rows at the sink, on the engine of a laptop; the sink counts and keeps nothing. Building the graph and
starting the engine are in it, reading the modules is not. Rows are counted once, though every twentieth batch comes twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

from bench import beams
from bench.baselines import per_row
from bench.figures import Figure, Log, by_turns, cpu_seconds, figure
from bench.messages import Workload, registry

UNIT = "rows/s of one core"


class WrongAnswer(Exception):
    """A run put out other rows than it took in: its speed means nothing."""


@dataclass(frozen=True, slots=True)
class Size:
    """Says how many rows each run takes by the rows of its batches, the baselines too, and how many runs count.

    Small batches are as many in each run, 40,000, so that starting the engine weighs the same on all of them.
    """

    rows: Mapping[int, int]
    per_row: int
    turns: int


FULL = Size(rows={500: 2_000_000, 50: 1_000_000, 20: 800_000, 10: 400_000, 5: 200_000}, per_row=80_000, turns=3)
QUICK = Size(rows={500: 4_000, 10: 2_000}, per_row=2_000, turns=1)
_FLOOR = "10 rows a batch"
"""The load by which the engine alone is measured: batches are read, keyed, and counted in a state."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison does the same work twice: `build` makes our pipeline of an export file, `of_rows` takes a collection of single rows."""

    name: str
    build: Callable[[Path], Callable[[beam.Pipeline], Any]]
    of_rows: Callable[[PCollection[per_row.Row]], Any]


def facts(folder: Path, size: Size, log: Log) -> list[Figure]:
    return _measure(Comparison("facts", beams.facts_only, _facts_of), folder, size, log)


def rollups(folder: Path, size: Size, log: Log) -> list[Figure]:
    return _measure(Comparison("rollups", beams.whole_flow, _rollups_of), folder, size, log)


def _measure(work: Comparison, folder: Path, size: Size, log: Log) -> list[Figure]:
    rows = Workload(folder, size.per_row, 500)
    loads = {f"{batch_rows} rows a batch": Workload(folder, count, batch_rows) for batch_rows, count in size.rows.items()}
    baselines = {
        "a row per element, from JSON": _per_row_speed(
            rows, lambda pipeline: work.of_rows(per_row.from_json_lines(pipeline, rows.json_lines()))
        ),
        "a row per element, from Arrow": _per_row_speed(
            rows, lambda pipeline: work.of_rows(per_row.from_export_file(pipeline, rows.export_file(), beams.clock))
        ),
    }
    floor = {"the engine alone": _floor_speed(loads[_FLOOR])}
    subjects = {name: pipeline_speed(work.build, load) for name, load in loads.items()}
    return _compare(work.name, by_turns(subjects | baselines | floor, size.turns, log), list(loads), list(baselines))


def _compare(command: str, speeds: dict[str, float], subjects: Sequence[str], baselines: Sequence[str]) -> list[Figure]:
    """Compares each of the pipeline's speeds with each baseline, and the one at the engine's rows a batch with the engine alone."""
    pairs = [(subject, baseline) for subject in subjects for baseline in baselines] + [(_FLOOR, "the engine alone")]
    return [
        figure(f"{command}: {subject}, against {baseline}", speeds[subject], UNIT, speeds[baseline], f"python -m bench {command}")
        for subject, baseline in pairs
    ]


def pipeline_speed(build: Callable[[Path], Callable[[beam.Pipeline], Any]], load: Workload) -> Callable[[], float]:
    """Returns a run of the pipeline that measures its rows a second."""
    export_file = load.export_file()
    return lambda: _speed(load, build(export_file), {"summaries_v1": load.rows, "batches_v1": load.batches, "rejects_v1": 0})


def _per_row_speed(load: Workload, build: Callable[[beam.Pipeline], Any]) -> Callable[[], float]:
    load.export_file(), load.json_lines()
    return lambda: _speed(load, build, {"facts": load.rows})


def _floor_speed(load: Workload) -> Callable[[], float]:
    """Returns a run that does nothing with the messages but read, key and count them."""
    export_file = load.export_file()
    return lambda: _speed(load, beams.floor(export_file), {"messages": load.messages})


def _speed(load: Workload, build: Callable[[beam.Pipeline], Any], expected: dict[str, int]) -> float:
    """Measures rows a second of processor time. Raises WrongAnswer."""
    seconds = cpu_seconds(lambda: beams.run(build))
    counted = {name: beams.COUNTED[name] for name in expected}
    if counted != expected:
        raise WrongAnswer(f"{expected} were expected, {counted} came")
    return load.rows / seconds


def _facts_of(rows: PCollection[per_row.Row]) -> PCollection[per_row.Row]:
    return per_row.facts(rows, {device.device_id: device.site_id for device in registry().devices})


def _rollups_of(rows: PCollection[per_row.Row]) -> None:
    per_row.rollups(_facts_of(rows))
