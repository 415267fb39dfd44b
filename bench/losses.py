"""Runs the benchmark `losses`: how many readings, each acknowledged to its sensor, never reach the output of a gateway.

Two scenes: kill -9 five times, and an output that refuses for half of the time with a kill in it. All gateways run at once, each with a
broker and an output of its own. TinyBeam loses nothing or the benchmark fails.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, Log, figure
from bench.gateways import telegraf
from bench.gateways.stand import Stand, published
from bench.gateways.subject import NotInstalled, Subject
from bench.gateways.telegraf import Telegraf
from bench.gateways.tinybeam_gateway import TinyBeam

COMMAND = "python -m bench losses"
_STEP_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Size:
    """Says how many readings a second come, for how many seconds, how long the output has afterwards, and a gateway to start."""

    rate: int
    seconds: float
    after_seconds: float
    start_seconds: float = 6.0

    @property
    def readings(self) -> int:
        return round(self.rate * self.seconds)


FULL = Size(rate=200, seconds=80.0, after_seconds=45.0)
QUICK = Size(rate=50, seconds=6.0, after_seconds=25.0)

Happening = tuple[float, Callable[[Stand], None]]
"""When, as a share of the time, and what."""
SCENES: Mapping[str, Sequence[Happening]] = {
    "kill -9 five times": [(share, Stand.crash) for share in (0.16, 0.34, 0.51, 0.69, 0.87)],
    "output refused for half of the time, kill -9 in it": [(0.15, Stand.break_output), (0.4, Stand.crash), (0.65, Stand.mend_output)],
}


class Lost(Exception):
    """TinyBeam lost or repeated a reading."""


@dataclass(frozen=True, slots=True)
class Count:
    """Counts readings that the output never showed, and those that it counted more than once."""

    lost: int
    doubled: int


def losses(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Measures TinyBeam, and Telegraf where it can be had. Raises Lost."""
    gateways, missing = subjects(folder.parent / "bin", log, COMMAND)
    pairs = [(scene, subject) for scene in SCENES for subject in gateways]
    with tempfile.TemporaryDirectory(dir=folder) as place, ThreadPoolExecutor(len(pairs)) as pool:
        log(f"{len(pairs)} gateways for {size.seconds + size.after_seconds:.0f} s and some")
        futures = [pool.submit(count, SCENES[scene], subject, Path(place) / str(at), size) for at, (scene, subject) in enumerate(pairs)]
        counts = [future.result() for future in futures]
    for (scene, subject), found in zip(pairs, counts, strict=True):
        if isinstance(subject, TinyBeam) and found != Count(0, 0):
            raise Lost(f"{scene}: {found}")
    return [row for (scene, subject), found in zip(pairs, counts, strict=True) for row in _rows(scene, subject, found, size)] + missing


def count(scene: Sequence[Happening], subject: Subject, folder: Path, size: Size) -> Count:
    """Plays a scene, and counts."""
    with Stand(subject, folder, size.start_seconds) as stand:
        _play(stand, scene, size)
        time.sleep(size.after_seconds)
        stand.stop()
        times = stand.shown()
    shown = [times.get(reading, 0) for reading in published(size.readings)]
    return Count(sum(max(1 - each, 0) for each in shown), sum(max(each - 1, 0) for each in shown))


def _play(stand: Stand, scene: Sequence[Happening], size: Size) -> None:
    """Lets things happen while readings go on coming. They happen in this thread: a process ends with the thread that started it."""
    begin = time.monotonic()
    with ThreadPoolExecutor(1) as sensors:
        coming = sensors.submit(_publish, stand, size, begin)
        for share, happen in scene:
            time.sleep(max(0.0, begin + share * size.seconds - time.monotonic()))
            happen(stand)
        coming.result()


def _publish(stand: Stand, size: Size, begin: float) -> None:
    sent = 0
    while sent < size.readings:
        due = min(int((time.monotonic() - begin) * size.rate), size.readings)
        stand.publish(sent, due - sent)
        sent = due
        time.sleep(_STEP_SECONDS)


def subjects(folder: Path, log: Log, command: str) -> tuple[list[Subject], list[Figure]]:
    """Returns what can be had, and a row for each that cannot."""
    try:
        program = telegraf.program(folder, log)
    except NotInstalled as error:
        log(f"Telegraf is left out: {error}")
        return [TinyBeam()], [
            Figure(name=f"Telegraf is left out: {error}", value=None, unit="", baseline=None, ratio=None, command=command)
        ]
    return [TinyBeam(), Telegraf(program), Telegraf(program, durable=True)], []


def _rows(scene: str, subject: Subject, found: Count, size: Size) -> list[Figure]:
    of = f"of {size.readings:,}"
    lost = figure(f"losses: {scene}, lost {of}: {subject.name}", found.lost, "readings", None, COMMAND)
    doubled = figure(f"losses: {scene}, counted twice: {subject.name}", found.doubled, "readings", None, COMMAND)
    return [lost, doubled] if found.doubled else [lost]
