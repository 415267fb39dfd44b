"""`tinybeam rejects` works on what was set aside.

Exit codes: 0 done, 1 failed, 2 called wrongly.
"""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from random import Random
from uuid import uuid4

import apache_beam as beam
import click
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import flow
from pipeline.elements import wall_clock
from pipeline.enrich import Sites
from pipeline.io import warehouse
from pipeline.io.registry import WAREHOUSE, RefreshedRegistry
from pipeline.io.rejected import RejectTables
from pipeline.io.sinks import LoadSink
from pipeline.io.warehouse import Warehouse
from pipeline.options import FN_API
from pipeline.replay.known_devices import UNKNOWN_DEVICE
from pipeline.replay.transform import REACH, ReplayNow, Replays
from pipeline.rollup.transform import Schedule
from pipeline.transforms import counts
from program import logs
from program.settings import ConfigError
from schemas.warehouse import DATASET

_FACTS = ("summaries", "inferences", "events")


@click.group(no_args_is_help=True)
def cli() -> None:
    """Work on what was set aside, the rows of `rejects`.

    Set BIGQUERY_EMULATOR_HOST=http://127.0.0.1:PORT to use a local warehouse server instead of BigQuery.
    """
    logs.set_up("warning", "text")


@cli.command()
@click.option("--reason", type=click.Choice([UNKNOWN_DEVICE]), default=UNKNOWN_DEVICE, show_default=True, help="Why they were set aside.")
@click.option("--since", type=click.DateTime(), help=f"From when, UTC.  [default: {REACH.days} days ago]")
@click.option("--project", envvar="GOOGLE_CLOUD_PROJECT", help="Project of the warehouse.  [default: $GOOGLE_CLOUD_PROJECT]")
@click.option("--dataset", default=DATASET, show_default=True, help="BigQuery dataset.")
@click.option(
    "--registry", default=WAREHOUSE, show_default=True, metavar="FILE", help="Where devices stand: a file, or the warehouse's tables."
)
@click.option("--dry_run", is_flag=True, help="Say how many rows would come in, change nothing.")
def replay(reason: str, since: datetime | None, project: str | None, dataset: str, registry: str, dry_run: bool) -> None:
    """Send rows through the pipeline once more, those of devices that the registry knows by now.

    A running pipeline does so by itself when the registry changes; this is for what it did not see. May be repeated: a row that is a fact
    already is left alone. Run `tinybeam sql recompute` afterwards: it computes the hours anew that got rows.

    \\b
    Examples:
      tinybeam rejects replay --reason unknown_device --dry_run
      tinybeam rejects replay --since 2026-01-01
    """
    if not project:
        raise click.UsageError("name the project: --project or GOOGLE_CLOUD_PROJECT")
    where = Warehouse(project, dataset, *warehouse.endpoints(None, None))
    reach = datetime.now(UTC) - since.replace(tzinfo=UTC) if since else REACH
    replays, known = Replays(RejectTables(where), reach), RefreshedRegistry(registry, where, None)
    try:
        warehouse.check(where, Random())
        known.load()
        found = _count(replays, known) if dry_run else _run(replays, known, where)
    except (warehouse.UnfitTables, ConfigError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{found} rows would come in" if dry_run else f"{found} rows came in")


def _count(replays: Replays, registry: RefreshedRegistry) -> int:
    return sum(batch.rows.num_rows for batch in replays.found(Sites(registry.load()), wall_clock()))


def _run(replays: Replays, registry: RefreshedRegistry, where: Warehouse) -> int:
    """Returns how many rows became facts."""
    sink = LoadSink(where, os.environ.get("TMPDIR") or tempfile.gettempdir(), uuid4().hex)
    pipeline = beam.Pipeline(options=PipelineOptions([f"--runner={FN_API}", f"--project={where.project}", "--no_save_main_session"]))
    batches = pipeline | "Replay" >> ReplayNow(replays, registry, wall_clock)
    flow.build_replay(batches, registry, sink, Schedule(streaming=False), wall_clock)
    result = pipeline.run()
    result.wait_until_finish()
    return sum(counts.of_run(result.metrics()).rows.get(f"{kind}_v1", 0) for kind in _FACTS)
