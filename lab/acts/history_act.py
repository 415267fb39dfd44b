"""Plays act one of the demo: a season of history, loaded into the warehouse from the gateways' export files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lab.acts import history
from lab.acts.analyst import prepare
from lab.acts.gateways import GATEWAYS
from lab.acts.reconciliation import Reconciliation
from lab.acts.run_record import Counts
from lab.acts.signatures import LabKeys
from lab.acts.timeline import Timeline
from lab.console import Console
from lab.services.stack import Warehouse
from lab.witness import delivered
from lab.world import field
from lab.world.device import SimulatedDevice, devices
from schemas.registry import Registry

HISTORY_DAYS = 120


@dataclass(frozen=True, slots=True)
class HistoryResult:
    """Holds what act two continues from: the devices, the reconciliation and its counts so far, the timeline, and the registry's file."""

    devices: tuple[SimulatedDevice, ...]
    reconciliation: Reconciliation
    counts: Counts
    timeline: Timeline
    registry: Path


def run(directory: Path, warehouse: Warehouse, console: Console) -> HistoryResult:
    """Simulates the season, exports it and loads the files. Raises StartFailed when the pipeline fails."""
    timeline = Timeline.until(datetime.now(UTC), HISTORY_DAYS)
    file, keys = field.write_registry(directory, timeline.begin), LabKeys(directory)
    keys.register(file, GATEWAYS)
    registry = Registry.load(file)
    client = delivered.connect(warehouse)
    console.log(f"warehouse: {warehouse.version} at {warehouse.rest_url}")
    simulated, reconciliation = devices(registry), Reconciliation(client, timeline.begin)
    with ThreadPoolExecutor(1) as pool:
        tables = pool.submit(prepare, client, registry, lambda _: None)
        console.status("simulating the fields with the crop-water model, and the machines, while the tables are made")
        _export(simulated, timeline, directory, reconciliation, console)
        tables.result()
    console.status("loading the export files with the pipeline in batch mode")
    history.load(directory / history.EXPORT_FOLDER, warehouse, directory / "batch.log", file, keys.pipeline_flag)
    counts = Counts.of(reconciliation.verdict())
    console.log(f"history: {counts.text}")
    return HistoryResult(simulated, reconciliation, counts, timeline, file)


def _export(
    simulated: tuple[SimulatedDevice, ...], timeline: Timeline, directory: Path, reconciliation: Reconciliation, console: Console
) -> None:
    files = []
    for gateway in history.simulate(simulated, timeline, directory, console.status):
        files += gateway.files
        reconciliation.add(gateway.keys, gateway.keys)
    size, days = sum(file.bytes for file in files) / 1e6, timeline.hours // 24
    console.log(f"{len(reconciliation.attempted)} readings of {days} days are in {len(files)} export files of {size:.1f} MB")
