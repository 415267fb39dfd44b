"""Runs the benchmark `scale`: whether a row costs the same whatever the size of the fleet, what a gateway leaves in the pipeline's state,
and how much a single key can take.

The flow runs as in batch mode, in this process; what it costs to start, measured on a fleet of sixteen gateways, is taken off. A state is
looked up and written for each parcel, so that is measured at the size that a streaming bundle has, too.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import apache_beam as beam

from bench import beams
from bench.figures import Figure, Log, cpu_seconds, figure
from bench.fleet import EPOCH, Fleet, FleetRegistry, gateway_name
from pipeline import flow
from pipeline.known_batches import BUCKETS, KnownBatches
from pipeline.rollup.transform import Schedule

COMMAND = "python -m bench scale"
_START = 16
"""So many gateways are the fleet by which the start is measured."""
_TURNS = (1, 4, 1, 16, 4, 1, 1, 4, 16, 1, 4, 1)
"""In which order the fleet, its quarter and its sixteenth are measured: the same from behind, so no drift favours one."""
_PARCEL = 7
"""Messages of a parcel: what comes of a bucket in a second where 100,000 gateways send a batch and a heartbeat in a quarter of an hour."""
_YEAR_OF_BATCHES = 365 * 24 * 4 * 2


class WrongAnswer(Exception):
    """A run put out other rows than it took in: its cost means nothing."""


@dataclass(frozen=True, slots=True)
class Size:
    """Says how many gateways sixteen times the work is, how many numbers of batches a year has, and how many rows a hot key gets."""

    gateways: int
    batches: int
    hot_rows: int


FULL = Size(gateways=100_000, batches=_YEAR_OF_BATCHES, hot_rows=160_000)
QUICK = Size(gateways=320, batches=2_000, hot_rows=2_000)


def scale(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Measures cost, states and keys. Raises WrongAnswer."""
    return [*_rows(folder, size, log), *_keys(folder, size, log), *_parcels(size, log), *_states(size, log)]


def _rows(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Measures microseconds of a row by the size of the fleet, against a sixteenth of it."""
    start = min(_seconds(Fleet(folder, _START)) for _ in range(2))
    log(f"starting takes {start:.2f} s of processor time")
    found: dict[int, list[float]] = {share: [] for share in _TURNS}
    for share in _TURNS:
        fleet = Fleet(folder, size.gateways * share // 16)
        found[share].append(1e6 * (_seconds(fleet) - start) / (fleet.rows + fleet.heartbeats))
        log(f"{fleet.gateways:,} gateways: {found[share][-1]:.1f} us a row")
    least = median(found[1])
    return [
        figure(f"scale: {size.gateways * share // 16:,} gateways, a row", median(found[share]), "us", least, COMMAND)
        for share in sorted(found)
    ]


def _keys(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Measures rows a second of one core where all are of one gateway and site, against the same rows of many."""
    devices, quarters = 1_000, max(1, size.hot_rows // 2_000)
    start = _seconds(Fleet(folder, _START))
    hot = Fleet(folder, 1, devices=devices, quarters=quarters)
    many = Fleet(folder, 8, devices=devices // 8, quarters=quarters)
    speeds = [fleet.rows / max(1e-9, _seconds(fleet) - start) for fleet in (many, hot)]
    log(f"one key: {speeds[1]:,.0f} rows a second")
    return [figure(f"scale: a gateway of {devices:,} devices, all on one site", speeds[1], "rows/s of one core", speeds[0], COMMAND)]


def _parcels(size: Size, log: Log) -> list[Figure]:
    """Measures what looking repeats up costs a parcel of streaming, against a sixteenth of the gateways."""
    costs = [_parcel(size.gateways * share // 16) for share in (1, 16, 160)]
    log(f"a parcel: {costs[0]:.0f} to {costs[-1]:.0f} us")
    return [
        figure(f"scale: repeats of a parcel, {size.gateways * share // 16:,} gateways", cost, "us", costs[0], COMMAND)
        for share, cost in zip((1, 16, 160), costs, strict=True)
    ]


def _parcel(gateways: int) -> float:
    """Returns microseconds for reading the state of a bucket, asking it for a parcel's batches, and writing it."""
    names = [(gateway_name(number * BUCKETS), EPOCH + number) for number in range(max(1, gateways // BUCKETS))]
    known, times = KnownBatches(), 40
    for name, epoch in names:
        known.add(name, epoch, 1)
    packed = known.pack()

    def work() -> None:
        nonlocal packed
        for time in range(times):
            bucket = KnownBatches(packed)
            for at in range(_PARCEL):
                bucket.add(*names[(time * _PARCEL + at) % len(names)], 2 + time)
            packed = bucket.pack()

    return 1e6 * cpu_seconds(work) / times


def _states(size: Size, log: Log) -> list[Figure]:
    """Measures bytes by which a gateway's batches are known after a year, against a year without a loss."""
    whole, scattered, outages = (_year(size.batches, lost) for lost in (_none, _scattered, _outages))
    log(f"a year of one gateway: {whole:,.0f}, {scattered:,.0f} and {outages:,.0f} bytes")
    return [
        figure("scale: known batches of a gateway after a year", whole, "B", None, COMMAND),
        figure("scale: the same, one in ten lost, in outages of a day", outages, "B", whole, COMMAND),
        figure("scale: the same, one in ten lost, each by itself", scattered, "B", whole, COMMAND),
    ]


def _year(batches: int, lost: Callable[[Random, int], bool]) -> float:
    """Returns the bytes that another gateway's year adds to a state."""
    known, rng = KnownBatches(), Random(7)
    known.add(gateway_name(0), EPOCH, 1)
    before = len(known.pack())
    for seq in range(1, batches + 1):
        if not lost(rng, seq):
            known.add(gateway_name(1), EPOCH + 1, seq)
    return len(known.pack()) - before


def _none(_: Random, __: int) -> bool:
    return False


def _scattered(rng: Random, _: int) -> bool:
    return rng.random() < 0.1


def _outages(_: Random, seq: int) -> bool:
    return seq // 192 % 10 == 0


def _seconds(fleet: Fleet) -> float:
    """Measures a run of the flow over what a fleet sends. Raises WrongAnswer."""
    export_file, registry = fleet.export_file(), FleetRegistry(fleet.gateways, fleet.devices)
    registry.current()
    gc.collect()
    seconds = cpu_seconds(lambda: beams.run(_flow(export_file, registry)))
    expected = {"summaries_v1": fleet.rows, "heartbeats_v1": fleet.heartbeats, "batches_v1": fleet.batches, "rejects_v1": 0}
    counted = {name: beams.COUNTED[name] for name in expected}
    if counted != expected:
        raise WrongAnswer(f"{expected} were expected, {counted} came")
    return seconds


def _flow(export_file: Path, registry: FleetRegistry) -> Callable[[beam.Pipeline], Any]:
    return lambda pipeline: flow.build(
        beams.read(pipeline, export_file), registry, beams.CountingSink(), Schedule(streaming=False), beams.clock
    )
