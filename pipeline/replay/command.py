"""`tinybeam rejects` works on what was set aside: lists, shows, exports and replays it.

Exit codes: 0 done, 1 failed, 2 called wrongly.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from random import Random
from typing import Any, TypeVar, get_args
from uuid import uuid4

import apache_beam as beam
import click
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import flow
from pipeline.authenticate import Requirement
from pipeline.elements import wall_clock
from pipeline.enrich import Sites
from pipeline.io import warehouse
from pipeline.io.answers import refusals_named
from pipeline.io.loads.batch import LoadSink
from pipeline.io.registry import WAREHOUSE, RefreshedRegistry
from pipeline.io.rejected import Grouping, RejectTables
from pipeline.io.signature_keys import Signatures
from pipeline.io.warehouse import Warehouse
from pipeline.options import FN_API
from pipeline.replay import export as files
from pipeline.replay import show as terminal
from pipeline.replay.elements import Left, Replayed, Selection
from pipeline.replay.fix import FileFix, FixError, load
from pipeline.replay.marks import marks
from pipeline.replay.proof import Proof
from pipeline.replay.recover import Fix, recovered
from pipeline.replay.report import Report
from pipeline.replay.transform import REACH, ReplayNow
from pipeline.rollup.transform import Schedule
from program import logs
from program.settings import ConfigError
from schemas.datasets import SETTINGS, Datasets
from schemas.remedies import remedy

_Command = TypeVar("_Command", bound=Callable[..., Any])
_EVERY = 1000
"""After so many rejects it is said how many were looked at."""


@click.group(no_args_is_help=True)
def cli() -> None:
    """Work on what was set aside, the rows of `rejects`: list, show, export, replay.

    Set BIGQUERY_EMULATOR_HOST=http://127.0.0.1:PORT to use a local warehouse server instead of BigQuery.
    """
    logs.set_up("warning", "text")


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say where the warehouse is; the command gets them as `tables`."""

    @wraps(command)
    def located(project: str | None, **options: Any) -> Any:
        tables = _tables(project, {setting.field: options.pop(setting.field) for setting in SETTINGS})
        try:
            warehouse.reach(tables.warehouse, Random())
            with refusals_named():
                return command(tables=tables, **options)
        except ConfigError as error:
            raise click.ClickException(str(error)) from error

    for setting in reversed(SETTINGS):
        located = click.option(setting.flag, setting.field, envvar=setting.variable, default=setting.default, help=setting.help)(located)
    return click.option("--project", envvar="GOOGLE_CLOUD_PROJECT", help="Project of the warehouse.  [default: $GOOGLE_CLOUD_PROJECT]")(
        located
    )


def _filters(command: _Command) -> _Command:
    """Adds the options that say which rejects are meant; each may be repeated but the times."""
    for name in ("device", "gateway", "stage", "reason"):
        command = click.option(f"--{name}", f"{name}s", multiple=True, help=f"Only those of this {name}; may be repeated.")(command)
    command = click.option("--to", "last", type=click.DateTime(), help="Set aside before this, UTC.")(command)
    return click.option(
        "--from", "--since", "first", type=click.DateTime(), help=f"Set aside from then on, UTC.  [default: {REACH.days} days ago]"
    )(command)


@cli.command()
@click.option(
    "--group_by", "--group-by", type=click.Choice(get_args(Grouping)), default="reason", show_default=True, help="By what to count."
)
@_filters
@_where
def ls(group_by: Grouping, tables: RejectTables, **filters: Any) -> None:
    """Count rejects: how many, the first and last of them, how many were replayed whole, and what to do.

    \b
    Examples:
      tinybeam rejects ls
      tinybeam rejects ls --group_by gateway --reason bad_schema --from 2026-05-01
    """
    rows = tables.groups(_selection(**filters), group_by)
    if group_by == "reason":
        rows = [{**row, "what to do": remedy(row["reason"])} for row in rows]
    for line in terminal.table(rows) if rows else ["no rejects"]:
        click.echo(line)


@cli.command()
@click.argument("reject_id")
@click.option("--bytes", "most_bytes", default=2000, show_default=True, help="Of a text, so many characters at most.")
@click.option("--rows", "most_rows", default=10, show_default=True, help="Of rows, so many at most.")
@_where
def show(reject_id: str, most_bytes: int, most_rows: int, tables: RejectTables) -> None:
    """Show one reject: why it was set aside, its attributes, its bytes as rows, JSON or text. The first letters of its id are enough."""
    found = tables.named(reject_id, 2)
    if len(found) != 1:
        raise click.ClickException(f"{'several rejects begin' if found else 'no reject begins'} with {reject_id}")
    for line in terminal.reject(found[0], most_bytes, most_rows):
        click.echo(line)


@cli.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@_filters
@_where
def export(folder: Path, tables: RejectTables, **filters: Any) -> None:
    """Write rejects to files under FOLDER/STAGE/REASON: a message as an export file (.tbb, `tinybeam pipeline --mode=batch` reads it), rows
    as an Arrow stream (.arrow), a sensor's message as it came (.payload); beside each a .json with its attributes and why.
    """
    count = 0
    for count, row in enumerate(tables.whole(_selection(**filters)), 1):
        files.write(row, folder)
        _progress(count, "written")
    click.echo(f"{count:,} rejects are in {folder}")


@cli.command()
@_filters
@_where
@click.option(
    "--registry", default=WAREHOUSE, show_default=True, metavar="FILE", help="Where devices stand: a file, or the warehouse's tables."
)
@click.option(
    "--transform",
    type=click.Path(exists=True, dir_okay=False),
    help="Python file with a function transform(message) that mends each reject. It is code: it runs here, with your rights.",
)
@click.option(
    "--require_signatures",
    type=click.Choice([each.value for each in Requirement]),
    default=Requirement.REFUSE.value,
    show_default=True,
    help="As for the pipeline: whether only messages come in that a key of [[gateways]] signed.",
)
@click.option("--signature_keys", default="", metavar="PLACE", help="As for the pipeline: its keys. Without them no message comes in.")
@click.option("--dry_run", "--dry-run", is_flag=True, help="Say how many rows would come in, change nothing.")
def replay(
    tables: RejectTables,
    registry: str,
    transform: str | None,
    require_signatures: str,
    signature_keys: str,
    dry_run: bool,
    **filters: Any,
) -> None:
    """Send what was set aside through the pipeline once more: messages that it understands by now, rows whose device is registered by now,
    rows that the warehouse takes by now. With --transform, as the function leaves them.

    May be repeated, also after it was killed: a row that is a fact already is left alone. Run `tinybeam sql recompute` afterwards: it
    computes the hours anew that got rows. A message comes in only if its gateway has signed it, as it came. What a sensor sent and a
    gateway refused comes in through a gateway alone: export it.

    \b
    Examples:
      tinybeam rejects replay --reason unknown_device --dry_run
      tinybeam rejects replay --reason bad_schema --transform fix.py --from 2026-05-01
    \b
    fix.py:
      def transform(message):            # .reason .stage .attributes .body .rows
          if message.attributes.get("gateway_id") != "gw-7":
              return None                # leave it out
          return message.with_attributes(schema_version="1.0")   # .with_body(bytes) .with_rows(record_batch)
    """
    meant = _selection(**filters)
    fix: Fix | None = FileFix(transform) if transform else None
    known = RefreshedRegistry(registry, tables.warehouse, None)
    if authenticator := Signatures(Requirement(require_signatures), signature_keys).authenticator(known):
        fix = Proof(authenticator, fix)
    try:
        if transform:
            load(transform)
        warehouse.check(tables.warehouse, Random())
        report = _look(recovered(tables, meant, Sites(known.load()), wall_clock(), fix))
        if report.to_mark and not dry_run:
            _run(ReplayNow(tables, meant, known, wall_clock, fix), known, tables, report)
    except (warehouse.UnfitTables, FixError) as error:
        raise click.ClickException(str(error)) from error
    for sentence in report.sentences("would come in" if dry_run else "came in"):
        click.echo(sentence)
    if report.rows and not dry_run:
        click.echo("run `tinybeam sql recompute`: it computes their hours anew")


def _tables(project: str | None, datasets: dict[str, str]) -> RejectTables:
    if not project:
        raise click.UsageError("name the project: --project or GOOGLE_CLOUD_PROJECT")
    try:
        return RejectTables(Warehouse(project, Datasets(**datasets), *warehouse.endpoints(None, None)))
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _selection(first: datetime | None, last: datetime | None, **names: tuple[str, ...]) -> Selection:
    now = datetime.now(UTC)
    since = first.replace(tzinfo=UTC) if first else now - timedelta(days=REACH.days)
    return Selection(first=since, last=last.replace(tzinfo=UTC) if last else None, **names)


def _look(found: Iterator[Replayed | Left]) -> Report:
    report = Report()
    for each in found:
        report.add(each)
        _progress(report.rejects, "looked at")
    return report


def _run(replaying: ReplayNow, registry: RefreshedRegistry, tables: RejectTables, report: Report) -> None:
    """Writes the rows, then that they are written: a run that is killed in between is finished by the next one."""
    run = uuid4().hex
    sink = LoadSink(tables.warehouse, os.environ.get("TMPDIR") or tempfile.gettempdir(), run)
    options = [f"--runner={FN_API}", f"--project={tables.warehouse.project}", "--no_save_main_session"]
    pipeline = beam.Pipeline(options=PipelineOptions(options))
    flow.build_replay(pipeline | "Replay" >> replaying, registry, sink, Schedule(streaming=False), wall_clock)
    click.echo(f"{report.rows:,} rows of {len(report.to_mark):,} rejects are on their way", err=True)
    pipeline.run().wait_until_finish()
    tables.note(marks(report.to_mark.values(), wall_clock()), run)


def _progress(count: int, verb: str) -> None:
    if count and count % _EVERY == 0:
        click.echo(f"{count:,} rejects {verb}", err=True)
