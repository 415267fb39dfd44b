"""Adds to the commands of a job their options, and says what failed in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from pipeline import run
from pipeline.dataflow import job
from pipeline.dataflow.choices import job_options, refuse_without_sources
from pipeline.dataflow.follow import Unanswered
from pipeline.dataflow.launch import Launcher, NotLaunched
from pipeline.dataflow.settings import JobSettings
from pipeline.dataflow.submit import submit
from pipeline.dataflow.worker import NotPacked
from pipeline.flags import UsageError
from pipeline.io.archive import ArchiveError
from pipeline.io.dataflow_jobs import DataflowJobs
from pipeline.io.sources import NoInput
from pipeline.io.warehouse import UnfitTables, Warehouse, endpoints
from pipeline.options import Options
from program import logs
from program.settings import ConfigError
from program.version import version
from schemas.datasets import SETTINGS, Datasets

_Command = Callable[..., Any]


def say(sentence: str) -> None:
    click.echo(sentence, err=True)


def _failures_explained(command: _Command) -> _Command:
    """Ends a command with one sentence for whatever is not its own fault."""

    @wraps(command)
    def explained(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except (UsageError, NoInput) as error:
            raise click.UsageError(str(error)) from error
        except (Unanswered, NotLaunched, NotPacked, UnfitTables, ArchiveError, ConfigError) as error:
            raise click.ClickException(str(error)) from error

    return explained


_region = click.option(
    "--region", envvar="CLOUDSDK_COMPUTE_REGION", required=True, help="Where the job runs.  [default: $CLOUDSDK_COMPUTE_REGION]"
)
_job_name = click.option("--job_name", default="", help="Name of the job.  [default: by the dataset; tinybeam for tinybeam]")
_endpoint = click.option(
    "--dataflow_endpoint", default="", metavar="URL", help="A stand-in for Dataflow, on localhost.  [default: Google's]"
)


def with_settings(command: _Command) -> _Command:
    """Adds the options of a new job; the command gets `options`, `settings` and `launcher`."""

    @wraps(command)
    @_failures_explained
    def launching(arguments: tuple[str, ...], region: str, job_name: str, dataflow_endpoint: str, **chosen: Any) -> Any:
        command_own = {name: chosen.pop(name) for name in ("wait", "dry_run") if name in chosen}
        options = job_options([*arguments, *([f"--dataflow_endpoint={dataflow_endpoint}"] if dataflow_endpoint else [])])
        logs.set_up(options.log_level, options.log_format)
        settings = _settings(options, region, job_name, chosen)
        refuse_without_sources(settings.image, options)
        jobs = DataflowJobs(settings.project, region, dataflow_endpoint)
        for sentence in settings.sentences():
            say(sentence)
        return command(options, settings, _launcher(options, jobs), **command_own)

    for option in reversed(_OF_NEW_JOBS):
        launching = option(launching)
    return click.argument("arguments", nargs=-1, type=click.UNPROCESSED)(_region(_job_name(_endpoint(launching))))


_OF_NEW_JOBS = [
    click.option("--image", default="", help="Image with TinyBeam and all that it needs, see deploy/dataflow.  [default: these sources]"),
    click.option("--exactly_once", is_flag=True, help="Dataflow's dearer mode; views show a row once in either.  [default: no]"),
    click.option("--min_workers", default=1, show_default=True, type=click.IntRange(1), help="Workers at least."),
    click.option("--max_workers", default=5, show_default=True, type=click.IntRange(1), help="Workers at most: what it may cost."),
    click.option("--machine_type", default="n1-standard-2", show_default=True, help="Type of the workers' machines."),
    click.option("--service_account", default="", metavar="EMAIL", help="As whom workers run.  [default: tinybeam-pipeline@PROJECT...]"),
    click.option("--network", default="", help="Network of the workers.  [default: default]"),
    click.option("--subnetwork", default="", metavar="regions/R/subnetworks/S", help="Its subnetwork, with Private Google Access."),
    click.option("--public_addresses", is_flag=True, help="Give workers public addresses.  [default: none]"),
    click.option("--labels", multiple=True, metavar="KEY=VALUE", help="Label of the job, for example for the bill. May be repeated."),
]


def _settings(options: Options, region: str, job_name: str, chosen: dict[str, Any]) -> JobSettings:
    labels = [label.partition("=")[::2] for label in chosen.pop("labels")]
    own = (("app", "tinybeam"), ("tinybeam_version", version().replace(".", "-").replace(" ", "-")))
    name = job_name or job.name_for(options.warehouse.datasets)
    try:
        return JobSettings(
            project=options.warehouse.project,
            region=region,
            name=job.checked_name(name),
            streaming=options.streaming,
            labels=(*own, *((key, value) for key, value in labels)),
            **chosen,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error


def _launcher(options: Options, jobs: DataflowJobs) -> Launcher:
    """Returns what launches, once warehouse and registry answer."""
    registry = run.registry_of(options)
    known = run.ready(options, registry)
    return Launcher(jobs=jobs, submit=lambda with_flags: submit(with_flags, registry, known), say=say)


def with_place(command: _Command) -> _Command:
    """Adds the options that name a project, a region and datasets; the command gets `jobs` and `warehouse`."""

    @wraps(command)
    @_failures_explained
    def placed(project: str | None, region: str, dataflow_endpoint: str, **options: Any) -> Any:
        if not project:
            raise click.UsageError("name the project: --project or GOOGLE_CLOUD_PROJECT")
        datasets = _datasets({setting.field: options.pop(setting.field) for setting in SETTINGS})
        where = Warehouse(project, datasets, *endpoints(None, None))
        return command(jobs=DataflowJobs(project, region, dataflow_endpoint), warehouse=where, **options)

    for setting in reversed(SETTINGS):
        placed = click.option(setting.flag, setting.field, envvar=setting.variable, default=setting.default, help=setting.help)(placed)
    project = click.option("--project", envvar="GOOGLE_CLOUD_PROJECT", help="Project of the job.  [default: $GOOGLE_CLOUD_PROJECT]")
    return project(_region(_endpoint(placed)))


def with_job(command: _Command) -> _Command:
    """Adds the options that name a job that is there; the command gets `jobs` and `name`."""

    @wraps(command)
    def naming(jobs: DataflowJobs, warehouse: Warehouse, job_name: str, **options: Any) -> Any:
        return command(jobs=jobs, name=job_name or job.name_for(warehouse.datasets), **options)

    return with_place(_job_name(naming))


def _datasets(names: dict[str, str]) -> Datasets:
    try:
        return Datasets(**names)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
