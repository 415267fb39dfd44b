"""`tinybeam pipeline launch|update|status|drain|cancel`: a job on Dataflow, from its launch to its end.

Exit codes: 0 done, 1 failed, 2 called wrongly.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial

import click

from pipeline.dataflow import job
from pipeline.dataflow.flags import say, with_job, with_settings
from pipeline.dataflow.follow import SECONDS, follow
from pipeline.dataflow.interrupts import Interrupts
from pipeline.dataflow.job import Job
from pipeline.dataflow.launch import Launcher
from pipeline.dataflow.settings import JobSettings
from pipeline.io.dataflow_jobs import DataflowJobs
from pipeline.options import Options

_ERRORS = 5
"""So many of a job are shown, the last ones."""

_wait = click.option("--wait", is_flag=True, help="Stay until the job has ended. Ctrl-C ends the watching alone.")
_FLAGS = {"ignore_unknown_options": True}
"""The flags of every run are read by pipeline/options.py."""


@click.command(context_settings=_FLAGS)
@_wait
@with_settings
def launch(options: Options, settings: JobSettings, launcher: Launcher, *, wait: bool) -> None:
    """Launch a job on Dataflow, and return when it runs. Ctrl-C or SIGTERM never touches the job.

    The flags of `tinybeam pipeline` say what it reads and writes: --project, --input_subscription, --temp_location, --dataset,
    --alerts_topic, --registry, --archive and so on; see `tinybeam pipeline --help`. Flags that neither knows go to Beam, and win.

    Workers get these sources, and install what Beam's image lacks; with --image, which has all of it, they start sooner and need
    no way out.

    \b
    Example:
      tinybeam pipeline launch --project=my-project --region=europe-west1 \\
        --input_subscription=projects/my-project/subscriptions/tinybeam \\
        --temp_location=gs://my-bucket/tmp --max_workers=3 \\
        --signature_keys=secret:projects/my-project/secrets/tinybeam-pipeline-key/versions/latest
    """
    seen = launcher.launch(options, settings, wait=wait)
    _end(settings, seen)
    if not options.streaming:
        say("rollups are of what this run sees: run `tinybeam sql recompute` when it is DONE")


@click.command(context_settings=_FLAGS)
@click.option("--dry_run", is_flag=True, help="Only ask whether this can replace the running job.")
@_wait
@with_settings
def update(options: Options, settings: JobSettings, launcher: Launcher, *, wait: bool, dry_run: bool) -> None:
    """Replace the running job by this version and these flags, without losing what it knows.

    Dataflow compares both graphs first and launches nothing; only what it takes for compatible is launched. Give all the flags of
    the launch, changed or not. If it does not take it, the job runs on as it was: drain it, then launch anew.

    \b
    Example:
      tinybeam pipeline update --dry_run --project=my-project --region=europe-west1 \\
        --input_subscription=projects/my-project/subscriptions/tinybeam --temp_location=gs://my-bucket/tmp \\
        --signature_keys=secret:projects/my-project/secrets/tinybeam-pipeline-key/versions/latest
    """
    if seen := launcher.update(options, settings, wait=wait, dry_run=dry_run):
        _end(settings, seen)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
@with_job
def status(jobs: DataflowJobs, name: str, *, as_json: bool) -> None:
    """Say in which state the job is, since when, and what Dataflow calls errors of it. Ends with 1 if there is none, or it failed.

    \b
    Example:
      tinybeam pipeline status --project my-project --region europe-west1
    """
    found = jobs.latest(name)
    if not found:
        raise click.ClickException(f"no job was ever named {name} in {jobs.region}")
    errors = jobs.errors(found.id)
    if as_json:
        click.echo(json.dumps({**asdict(found), "errors": errors, "console": _console(jobs, found)}, default=str))
    else:
        since = f" since {found.since:%Y-%m-%dT%H:%M:%SZ}" if found.since else ""
        for line in (f"{found.name} ({found.id}) is {found.state}{since}", _console(jobs, found), *errors[-_ERRORS:]):
            click.echo(line)
    if found.state == "FAILED":
        raise click.exceptions.Exit(1)


@click.command()
@_wait
@with_job
def drain(jobs: DataflowJobs, name: str, *, wait: bool) -> None:
    """End the job softly: it reads no more, and writes what it has read. Windows that are open close early, and what the job knows is gone.

    \b
    Example:
      tinybeam pipeline drain --wait --project my-project --region europe-west1
    """
    _ask_for(jobs, name, "DRAINING", wait=wait)


@click.command()
@_wait
@click.option("--yes", is_flag=True, help="Do not ask first.")
@with_job
def cancel(jobs: DataflowJobs, name: str, *, wait: bool, yes: bool) -> None:
    """End the job at once. What it has read and not written is lost to its rollups and alerts; messages that were not acknowledged
    come again.

    \b
    Example:
      tinybeam pipeline cancel --yes --project my-project --region europe-west1
    """
    if not yes:
        click.confirm(f"cancel {name} in {jobs.region}? `tinybeam pipeline drain` loses nothing", abort=True, err=True)
    _ask_for(jobs, name, "CANCELLED", wait=wait)


def _ask_for(jobs: DataflowJobs, name: str, state: str, *, wait: bool) -> None:
    """Asks for the end of a job once, however often it is called."""
    found = jobs.running(name)
    if not found:
        raise click.ClickException(f"no job named {name} runs in {jobs.region}")
    if _ending(found.state, state):
        say(f"{found.name} ({found.id}) is {found.state} already")
    else:
        jobs.request(found.id, state)
        say(f"{found.name} ({found.id}) was {found.state} and is asked to be {state}")
    if wait:
        with Interrupts(say) as interrupts:
            follow(jobs, found, frozenset(), partial(interrupts.pause, SECONDS), say)


def _ending(state: str, wanted: str) -> bool:
    """Returns whether what is wanted is under way. A job that drains may still be cancelled."""
    return state in {"CANCELLING", wanted}


def _end(settings: JobSettings, seen: Job) -> None:
    """Says how to go on from here."""
    where = f"--project {settings.project} --region {settings.region} --job_name {settings.name}"
    click.echo(f"{seen.name} ({seen.id}) is {seen.state or 'not looked at yet'}")
    click.echo(job.console(settings.project, settings.region, seen))
    if not seen.ended:
        say(f"look again: tinybeam pipeline status {where}")


def _console(jobs: DataflowJobs, found: Job) -> str:
    return job.console(jobs.project, jobs.region, found)


COMMANDS = (launch, update, status, drain, cancel)
