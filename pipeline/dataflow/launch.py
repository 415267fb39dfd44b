"""Launches a job, or replaces the one that runs, and returns when it runs. Whoever launches may go away at any time.

A replacement is asked for first: Dataflow compares both graphs and launches nothing; only what it takes is launched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from pipeline.dataflow import job, worker
from pipeline.dataflow.follow import SECONDS, Jobs, follow
from pipeline.dataflow.interrupts import Interrupts
from pipeline.dataflow.job import Job
from pipeline.dataflow.settings import VALIDATE_ONLY, JobSettings
from pipeline.options import Options


class NotLaunched(Exception):
    """Nothing was launched, or it did not come to run; the text says why and what to do."""


class KnownJobs(Jobs, Protocol):
    """Looks for jobs by name."""

    def running(self, name: str) -> Job | None:
        """Returns the one that has not ended. Raises Unanswered."""


Submit = Callable[[Options], str]
"""Builds the flow and hands it to Dataflow with the flags for Beam. Returns the job's id. Raises NotLaunched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """Launches on Dataflow: `Launcher(...).launch(options, settings, wait=False)`."""

    jobs: KnownJobs
    submit: Submit
    say: Callable[[str], None]
    seconds: float = SECONDS
    """Between two looks at a job."""

    def launch(self, options: Options, settings: JobSettings, *, wait: bool) -> Job:
        """Launches a job; with `wait`, follows it to its end. Raises NotLaunched and Unanswered."""
        if runs := self.jobs.running(settings.name):
            raise NotLaunched(f"{runs.name} is there already ({runs.id}, {runs.state}): `tinybeam pipeline update` replaces it")
        with Interrupts(self.say) as interrupts:
            submitted = self._submitted(options, settings, ())
            return self._followed(submitted, interrupts, wait=wait)

    def update(self, options: Options, settings: JobSettings, *, wait: bool, dry_run: bool) -> Job | None:
        """Replaces the running job by one that Dataflow takes for compatible; with `dry_run` only asks. Raises as `launch`."""
        if not (runs := self.jobs.running(settings.name)):
            raise NotLaunched(f"no job named {settings.name} runs in {settings.region}: `tinybeam pipeline launch` launches one")
        with Interrupts(self.say) as interrupts:
            self._ask(options, settings, runs, interrupts)
            if dry_run:
                return None
            if interrupts.asked:
                raise NotLaunched(f"stopped before {runs.id} was replaced")
            return self._followed(self._submitted(options, settings, ["--update"]), interrupts, wait=wait)

    def _pause(self, interrupts: Interrupts) -> Callable[[], bool]:
        return partial(interrupts.pause, self.seconds)

    def _ask(self, options: Options, settings: JobSettings, runs: Job, interrupts: Interrupts) -> None:
        """Lets Dataflow compare the graphs. Returns if it takes the new one for a replacement; raises NotLaunched if not."""
        self.say(f"asking whether this can replace {runs.name} ({runs.id}): nothing is launched")
        asked = self._submitted(options, settings, ["--update", f"--dataflow_service_options={VALIDATE_ONLY}"])
        answer = follow(self.jobs, asked, frozenset(), self._pause(interrupts), self.say)
        if answer.state != "DONE":
            raise NotLaunched("\n".join([f"this cannot replace {runs.id}: the comparison is {answer.state}", *self.jobs.errors(answer.id)]))
        self.say(f"this can replace {runs.name} ({runs.id})")

    def _submitted(self, options: Options, settings: JobSettings, further: Sequence[str]) -> Job:
        with _flags(options, settings) as flags:
            self.say("building the flow and handing it to Dataflow")
            return Job(self.submit(replace(options, beam=(*flags, *options.beam, *further))), settings.name, "")

    def _followed(self, submitted: Job, interrupts: Interrupts, *, wait: bool) -> Job:
        self.say(f"{submitted.name} ({submitted.id}) is Dataflow's now")
        seen = follow(self.jobs, submitted, frozenset() if wait else job.RUNNING, self._pause(interrupts), self.say)
        if seen.state == "FAILED":
            raise NotLaunched("\n".join([f"{seen.name} ({seen.id}) failed", *self.jobs.errors(seen.id)]))
        return seen


@contextmanager
def _flags(options: Options, settings: JobSettings) -> Iterator[Sequence[str]]:
    """Gives the flags of a job: from an image or a setup file of the user's, else with these sources."""
    with tempfile.TemporaryDirectory() as folder:
        own = settings.image or any(word.startswith("--setup_file") for word in options.beam)
        yield *settings.flags(), *(() if own else worker.flags(Path(folder)))
