"""Benchmark `latency`: from the newest reading of a batch to its rows in the warehouse, on the live path without faults.

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

from bench.figures import Figure, Say, figure
from lab import demo
from lab.acts import history
from lab.acts.gateways import LIVE
from lab.acts.live import Live
from lab.acts.reconciliation import Reconciliation
from lab.acts.run_record import Counts
from lab.analyst import prepare
from lab.console import Console
from lab.services.stack import Warehouse
from lab.witness import delivered
from lab.witness.latency import Watch, percentile
from lab.world import field
from lab.world.device import devices
from lab.world.sensors import Notebook
from schemas.registry import Registry

DRAIN_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Size:
    """How long the sensors send."""

    seconds: float


FULL = Size(40.0)
QUICK = Size(8.0)


def latency(folder: Path, size: Size, say: Say) -> list[Figure]:
    """Raises StartFailed when a server or a process of the path does not start."""
    with TemporaryDirectory(dir=folder) as directory, Warehouse(Path(directory)) as warehouse:
        client = delivered.connect(warehouse)
        calendar = history.Calendar.until(datetime.now(UTC), 1)
        registry = field.write_registry(Path(directory), calendar.begin)
        known = Registry.load(registry)
        prepare(client, known, _quietly)
        account = Reconciliation(client, calendar.begin)
        past = demo.Past(devices(known), account, Counts.of(account.verdict()), calendar, registry)
        with Live(Path(directory), warehouse, registry=registry) as live:
            took = _watched(past, live, size.seconds, say)
    waits = 1000.0 * (LIVE.grace_seconds + LIVE.batch_seconds)
    say(f"{len(took)} batches of summaries")
    return [
        figure(f"latency: reading to row, p{share}", percentile(took, share / 100), "ms", waits, "python -m bench latency")
        for share in (50, 99)
    ]


def _quietly(text: str) -> None:
    """What is said of each view is no news here."""


def _watched(past: demo.Past, live: Live, seconds: float, say: Say) -> list[float]:
    """Milliseconds of each batch that came."""
    began = datetime.now(UTC)
    demo.await_first_heartbeats(past.account, began, Console(sys.stderr))
    say(f"the path is up; sensors send for {seconds:g} s")
    with Watch(lambda: delivered.newest_readings(past.account.client, began)) as watch:
        with demo.sensors(past, live, Notebook()):
            time.sleep(seconds)
        time.sleep(DRAIN_SECONDS)
        return [arrival.milliseconds for arrival in watch.arrivals()]
