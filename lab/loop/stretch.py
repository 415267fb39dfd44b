"""Takes a stretch of days of all fields to the warehouse: every gateway by its own code, then the pipeline in batch mode."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

from google.cloud import bigquery

from lab.acts import history
from lab.acts.reconciliation import Reconciliation
from lab.acts.signatures import LabKeys
from lab.console import Console
from lab.loop.gateways import Task, live
from lab.loop.publisher import Publisher
from lab.loop.world import ProbeSeason
from lab.services.stack import Warehouse

WORKERS = 2


@dataclass(slots=True)
class Farm:
    """Holds what all stretches share: `farm.live("season-1", fields, 1, 120)`."""

    directory: Path
    registry: Path
    warehouse: Warehouse
    publisher: Publisher
    reconciliation: Reconciliation
    console: Console
    faults: list[str] = field(default_factory=list)
    """Why gateways could not have a release."""

    @property
    def client(self) -> bigquery.Client:
        return self.reconciliation.client

    def live(self, name: str, probes: Sequence[ProbeSeason], first_day: int, last_day: int) -> None:
        """Lives from the end of one day of the season to the end of another. Raises StartFailed."""
        export = self.directory / name
        export.mkdir()
        by_gateway = groupby(sorted(probes, key=_gateway), key=_gateway)
        tasks = [self._task(export, gateway, list(own), first_day, last_day) for gateway, own in by_gateway]
        with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"), initializer=_quiet) as pool:
            for task, lived in zip(tasks, pool.map(live, tasks), strict=True):
                self.reconciliation.add(lived.keys, lived.keys)
                self.faults += lived.faults
                self.console.status(f"{name}: {task.gateway_id} has lived its days")
        log = self.directory / f"{name}.log"
        history.load(export, self.warehouse, log, self.registry, LabKeys(self.directory).pipeline_flag)
        self.console.log(f"{name}: days {first_day} to {last_day} of {len(probes)} probes are in the warehouse")

    def _task(self, export: Path, gateway: str, probes: Sequence[ProbeSeason], first_day: int, last_day: int) -> Task:
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


def _quiet() -> None:
    """Keeps off the console what a gateway logs of its releases: the farm knows it as faults."""
    logging.getLogger().addHandler(logging.NullHandler())
