"""Runs the benchmark `inference`: what a scored window costs at a gateway, from closed window to row, its child's share included.

Windows that close together are one message to the model's child; the baseline is the same windows closing one by one, a message each.
Processor time of both processes, so that waiting for a busy core does not count.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, Log, by_turns, figure
from bench.processes import children, cpu_seconds
from edge.models.bundle import Bundle
from edge.models.infer import ModelRunner
from edge.models.process_scorer import ProcessScorer
from edge.models.slot import LoadedModel, Slot
from edge.reading import Reading
from edge.store.section import Section
from edge.window import Window
from schemas.records import TimeQuality

COMMAND = "python -m bench inference"
MODEL = Path(__file__).parents[1] / "models" / "soil"
_HOUR_US = 3_600_000_000
_START_US = 500_000 * _HOUR_US
_TOGETHER = (100, 20, 5)
_SHADOWED = "1, shadowed"


@dataclass(frozen=True, slots=True)
class Size:
    """Says how many windows a run scores, and how many runs count."""

    windows: int
    turns: int


FULL = Size(windows=4_000, turns=5)
QUICK = Size(windows=100, turns=1)


class WrongAnswer(Exception):
    """A run scored other windows than it was given: its figures mean nothing."""


def inference(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Measures the shipped soil model. Raises WrongAnswer."""
    bundle = Bundle.load(MODEL)
    with ProcessScorer([bundle]) as scorer, ProcessScorer([bundle]) as shadow:
        subjects = {str(devices): _run(bundle, scorer, size.windows, devices) for devices in (*_TOGETHER, 1)}
        subjects[_SHADOWED] = _run(bundle, scorer, size.windows, 1, shadow)
        costs = by_turns(subjects, size.turns, log)
    alone, shadowed = costs.pop("1"), costs.pop(_SHADOWED)
    rows = [figure(f"inference: a window of {devices} that close together", cost, "us", alone, COMMAND) for devices, cost in costs.items()]
    rows.append(figure("inference: a window that closes alone, and a model in the shadow", shadowed, "us", alone, COMMAND))
    return [*rows, figure("inference: a window that closes alone", alone, "us", None, COMMAND)]


def _run(bundle: Bundle, scorer: ProcessScorer, count: int, devices: int, shadow: ProcessScorer | None = None) -> Callable[[], float]:
    """Returns a run over windows of so many devices, which returns the microseconds of a window."""

    def run() -> float:
        runner, slot = ModelRunner(Section), Slot(LoadedModel(bundle, scorer), shadow=LoadedModel(bundle, shadow) if shadow else None)
        hours = _warm(runner, slot, devices)
        closed = [_closed(bundle, devices, hours + number) for number in range(count // devices)]
        begin = _cpu_seconds()
        scored = sum(len(runner.infer(slot, windows)) for windows in closed)
        spent = _cpu_seconds() - begin
        if scored != devices * len(closed):
            raise WrongAnswer(f"{scored} of {devices * len(closed)} windows were scored")
        return 1e6 * spent / scored

    return run


def _warm(runner: ModelRunner, slot: Slot, devices: int) -> int:
    """Lets the devices' memories become old enough; returns the hours that took."""
    bundle = slot.in_force.bundle
    hours = int(bundle.recipe.warm_up_hours) + 1
    for hour in range(hours):
        runner.infer(slot, _closed(bundle, devices, hour))
    return hours


def _closed(bundle: Bundle, devices: int, hour: int) -> list[Window]:
    start = _START_US + hour * _HOUR_US
    return [Window(device, start, 3600, False, [_reading(bundle, device, start)]) for device in _names(devices)]


def _names(devices: int) -> Iterator[str]:
    return (f"soil-{number:03}" for number in range(devices))


def _reading(bundle: Bundle, device: str, start: int) -> Reading:
    values = dict.fromkeys(bundle.channels, 0.2)
    at = start + _HOUR_US // 2
    return Reading(
        device_id=device, event_us=at, arrived_us=at, time_quality=TimeQuality.SYNCED, boot=None, seq=None, sensor_time=True, values=values
    )


def _cpu_seconds() -> float:
    """Returns the processor time of this process and of its children that run."""
    return time.process_time() + sum(map(cpu_seconds, children(os.getpid())))
