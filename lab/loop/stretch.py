"""Takes a stretch of days of all fields to the warehouse: every gateway by its own code, then the pipeline in batch mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

from lab.acts import history
from lab.acts.reconciliation import Reconciliation
from lab.acts.signatures import LabKeys
from lab.console import Console
from lab.loop.gateways import Task, live
from lab.loop.publisher import Publisher
from lab.loop.world import FieldSeason, Plan, simulate
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

    def live(self, name: str, fields: Sequence[FieldSeason], first_day: int, last_day: int) -> None:
        """Lives from the end of one day of the season to the end of another. Raises StartFailed."""
        export = self.directory / name
        export.mkdir()
        tasks = [self._task(export, gateway, list(own), first_day, last_day) for gateway, own in groupby(fields, key=_gateway)]
        with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
            for task, lived in zip(tasks, pool.map(live, tasks), strict=True):
                self.reconciliation.add(lived.keys, lived.keys)
                self.faults += lived.faults
                self.console.status(f"{name}: {task.gateway_id} has lived its days")
        log = self.directory / f"{name}.log"
        history.load(export, self.warehouse, log, self.registry, LabKeys(self.directory).pipeline_flag)
        self.console.log(f"{name}: days {first_day} to {last_day} of {len(fields)} fields are in the warehouse")

    def _task(self, export: Path, gateway: str, fields: Sequence[FieldSeason], first_day: int, last_day: int) -> Task:
        return Task(
            directory=self.directory,
            export=export,
            gateway_id=gateway,
            fields=fields,
            first_day=first_day,
            last_day=last_day,
            published=self.publisher.published,
            root=self.publisher.repository.root_file,
        )


def _gateway(each: FieldSeason) -> str:
    return each.plan.gateway_id


def grow(
    plans: Sequence[Plan], number: int, begin: datetime, first_seqs: Mapping[str, int], progress: Callable[[str], None]
) -> list[FieldSeason]:
    """Simulates a season of every field."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        grown = []
        for each in pool.map(
            simulate, plans, [number] * len(plans), [begin] * len(plans), [first_seqs.get(plan.device_id, 1) for plan in plans]
        ):
            grown.append(each)
            progress(f"season {number + 1}: {each.plan.site_id} has grown {each.season.crop}")
        return grown
