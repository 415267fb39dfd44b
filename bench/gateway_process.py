"""Runs as the process that `bench.gateway` measures: intake, core and store as they run in `tinybeam edge run`, without an uplink.

It reads from the broker until COUNT messages are acknowledged, closes their windows, and prints what that cost as one JSON object.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

from edge import clock
from edge.config import load
from edge.gateway import Gateway
from edge.intake.client import Incoming, Intake
from edge.loop import Loop
from edge.store.store import Store
from schemas.records import LinkState


class CountingIntake:
    """Wraps the intake and stops the loop after so many acknowledged messages."""

    def __init__(self, intake: Intake, count: int, stopping: threading.Event) -> None:
        self._intake, self._remaining, self._stopping = intake, count, stopping
        self.commits = 0

    @property
    def state(self) -> LinkState:
        return self._intake.state

    def take(self, seconds: float) -> list[Incoming]:
        return self._intake.take(seconds)

    def acknowledge(self, deliveries: list[Incoming]) -> None:
        self._intake.acknowledge(deliveries)
        self.commits += 1
        self._remaining -= len(deliveries)
        if self._remaining <= 0:
            self._stopping.set()


class NoUplink:
    """Leaves batches in the outbox."""

    state, day = LinkState.OFFLINE, None

    def wake(self) -> None: ...


def main(file: Path, count: int) -> None:
    config, stopping = load(file), threading.Event()
    store = Store(config.store_file, config.gateway.id, config.store.max_bytes)
    gateway = Gateway(config, store, clock.now())
    intake = Intake(config.mqtt, config.gateway.id, None, config.subscriptions)
    source = CountingIntake(intake, count, stopping)
    wall, cpu = time.perf_counter(), time.process_time()
    intake.start()
    Loop(gateway, source, NoUplink(), None, stopping).run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    intake.stop()
    closing = time.process_time()
    gateway.flush(gateway.end_of_windows(clock.now() + timedelta(seconds=config.windows.seconds + config.windows.grace_seconds)))
    closing = time.process_time() - closing
    store.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    print(json.dumps({"wall": wall, "cpu": cpu, "closing_cpu": closing, "memory": memory, "commits": source.commits}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
