"""Runs the benchmark `latency`: from the newest reading of a batch to its rows in the warehouse, on the live path without faults.

The baseline is what the settings ask to wait: the window's grace, and up to `batches.seconds` until a batch is cut. What is more is the
path: broker, gateway, Pub/Sub, pipeline, warehouse and half a second between two looks, all on the same cores as the sensors.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure, Log, figure
from lab.acts import live_act
from lab.acts.analyst import prepare
from lab.acts.gateways import GATEWAYS, LIVE
from lab.acts.history_act import HistoryResult
from lab.acts.live import LivePath
from lab.acts.reconciliation import Reconciliation
from lab.acts.run_record import Counts
from lab.acts.signatures import LabKeys
from lab.acts.timeline import Timeline
from lab.console import Console
from lab.services.stack import Warehouse
from lab.witness import delivered
from lab.witness.latency import ArrivalMonitor, percentile
from lab.world import field
from lab.world.device import devices
from lab.world.sensors import AttemptLog
from schemas.registry import Registry

DRAIN_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Size:
    """Says how long the sensors send."""

    seconds: float


FULL = Size(40.0)
QUICK = Size(8.0)


def latency(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Measures one run of the live path. Raises StartFailed when a server or a process of the path does not start."""
    with TemporaryDirectory(dir=folder) as directory, Warehouse(Path(directory)) as warehouse:
        history = _history(Path(directory), warehouse)
        with LivePath(Path(directory), warehouse, registry=history.registry) as path:
            milliseconds = _latencies(history, path, size.seconds, log)
    configured = 1000.0 * (LIVE.grace_seconds + LIVE.batch_seconds)
    log(f"{len(milliseconds)} batches of summaries")
    return [
        figure(f"latency: reading to row, p{share}", percentile(milliseconds, share / 100), "ms", configured, "python -m bench latency")
        for share in (50, 99)
    ]


def _history(directory: Path, warehouse: Warehouse) -> HistoryResult:
    """Prepares the warehouse and the devices; nothing of a history is loaded."""
    timeline = Timeline.until(datetime.now(UTC), 1)
    client, file = delivered.connect(warehouse), field.write_registry(directory, timeline.begin)
    LabKeys(directory).register(file, GATEWAYS)
    registry = Registry.load(file)
    prepare(client, registry, lambda _: None)
    reconciliation = Reconciliation(client, timeline.begin)
    return HistoryResult(devices(registry), reconciliation, Counts.of(reconciliation.verdict()), timeline, file)


def _latencies(history: HistoryResult, path: LivePath, seconds: float, log: Log) -> list[float]:
    """Returns the milliseconds of each batch that came."""
    begin = datetime.now(UTC)
    live_act.await_first_heartbeats(history.reconciliation, begin, Console(sys.stderr))
    log(f"the path is up; sensors send for {seconds:g} s")
    with ArrivalMonitor(lambda: delivered.newest_readings(history.reconciliation.client, begin)) as monitor:
        with live_act.sensors(history, path, AttemptLog()):
            time.sleep(seconds)
        time.sleep(DRAIN_SECONDS)
        return [arrival.milliseconds for arrival in monitor.arrivals()]
