"""Follows a job until it is where it should be, has ended, or nobody wants to know any more. The job is looked at, never touched."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from pipeline.dataflow.job import Job

SECONDS = 5.0
"""Between two looks."""


class Unanswered(Exception):
    """Dataflow does not answer, or refuses; the text says what and why in one sentence."""


class Jobs(Protocol):
    """Looks at jobs of one project and region."""

    def job(self, job_id: str) -> Job:
        """Raises Unanswered."""

    def errors(self, job_id: str) -> list[str]:
        """Returns what Dataflow calls errors of the job, oldest first. Raises Unanswered."""


def follow(jobs: Jobs, job: Job, until: Collection[str], pause: Callable[[], bool], say: Callable[[str], None]) -> Job:
    """Returns the job as it was seen last: in a state of `until`, ended, or when `pause` returned true. An outage is waited for."""
    state = ""
    while True:
        try:
            job = jobs.job(job.id)
        except Unanswered as error:
            say(f"{error}; trying again")
        else:
            if job.state != state:
                say(f"{job.name} ({job.id}) is {job.state}")
                state = job.state
            if job.ended or job.state in until:
                return job
        if pause():
            return job
