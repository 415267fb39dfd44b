"""Takes a stretch of days of all fields to the warehouse: every gateway by its own code, then the pipeline in batch mode.

Guarantees that all gateways of a farm are loaded by one run of the pipeline, which so sees the whole of each site.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from google.cloud import bigquery

from lab.acts import history
from lab.acts.reconciliation import Reconciliation
from lab.acts.signatures import LabKeys
from lab.console import Console
from lab.loop.gateways import Task, live
from lab.loop.processes import WORKERS
from lab.loop.publisher import Publisher
from lab.loop.world import ProbeSeason
from lab.services.stack import Warehouse


@dataclass(slots=True)
class Farm:
    """Holds what all stretches share: `farm.live(fields, 1, 50)`, `farm.live(fields, 50, 75)`, then `farm.load()` for both."""

    directory: Path
    registry: Path
    warehouse: Warehouse
    tables: Future[None]
    """Is done when the warehouse has its tables."""
    processes: ProcessPoolExecutor
    publisher: Publisher
    reconciliation: Reconciliation
    console: Console
    faults: list[str] = field(default_factory=list)
    """Why gateways could not have a release."""
    loads: int = 0

    @property
    def client(self) -> bigquery.Client:
        return self.reconciliation.client

    def live(self, probes: Sequence[ProbeSeason], first_day: int, last_day: int) -> None:
        """Lives from the end of one day of the season to the end of another. What gateways send is loaded later."""
        by_gateway = groupby(sorted(probes, key=_gateway), key=_gateway)
        tasks = [self._task(gateway, list(own), first_day, last_day) for gateway, own in by_gateway]
        for task, lived in zip(tasks, self.processes.map(live, tasks), strict=True):
            self.reconciliation.add(lived.keys, lived.keys)
            self.faults += lived.faults
            self.console.status(f"{task.gateway_id} has lived days {first_day} to {last_day}")
        self.console.log(f"{len(tasks)} gateways have lived days {first_day} to {last_day} of {len(probes)} probes")

    def load(self) -> None:
        """Loads what gateways have sent since the last time. Raises StartFailed."""
        self.tables.result()
        with ThreadPoolExecutor(WORKERS) as threads:
            list(threads.map(self._load, sorted(self._export.iterdir())))
        self.loads += 1
        self.console.log("what they sent is in the warehouse")

    def _load(self, part: Path) -> None:
        log = self.directory / f"{part.parent.name}-{part.name}.log"
        history.load(part, self.warehouse, log, self.registry, LabKeys(self.directory).pipeline_flag)

    @property
    def _export(self) -> Path:
        return self.directory / f"sent-{self.loads + 1}"

    def _task(self, gateway: str, probes: Sequence[ProbeSeason], first_day: int, last_day: int) -> Task:
        export = self._export / f"part-{probes[0].probe.plan.farm % WORKERS}"
        export.mkdir(parents=True, exist_ok=True)
        return Task(
            directory=self.directory,
            export=export,
            gateway_id=gateway,
            probes=probes,
            first_day=first_day,
            last_day=last_day,
            published=self.publisher.published,
            root=self.publisher.repository.root_file,
        )


def _gateway(each: ProbeSeason) -> str:
    return each.probe.gateway_id
