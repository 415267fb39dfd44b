"""Says what a job of Dataflow is, and in which of its states something still runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from schemas.datasets import Datasets
from schemas.warehouse import DATASET

RUNNING = frozenset({"RUNNING"})
ENDED = frozenset({"DONE", "FAILED", "CANCELLED", "UPDATED", "DRAINED"})
"""States that a job does not leave; a paused one goes on when somebody says so."""

_NAME = re.compile(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Job:
    """Holds what Dataflow says of one job; `state` without JOB_STATE_."""

    id: str
    name: str
    state: str
    since: datetime | None = None
    """When it entered this state."""

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def name_for(datasets: Datasets) -> str:
    """Returns the name of the one job that fills these tables: `tinybeam` for the default dataset, `tinybeam-farm-a` for `farm_a`."""
    own = [datasets.tables] if datasets.tables != DATASET else []
    words = re.findall(r"[a-z0-9]+", "-".join([DATASET, *own, datasets.prefix]).lower())
    return "-".join(words)[:63].rstrip("-")


def checked_name(name: str) -> str:
    """Returns the name. Raises ValueError if Dataflow would refuse it."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"--job_name begins with a letter and has lower case letters, digits and hyphens, at most 63, not {name!r}")
    return name


def console(project: str, region: str, job: Job) -> str:
    """Returns the address of the job's page."""
    return f"https://console.cloud.google.com/dataflow/jobs/{region}/{job.id}?project={project}"
