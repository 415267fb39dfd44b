"""`tinybeam sql recompute`, which like `alert` joins the warehouse's SQL and the pipeline's logic; the other commands know SQL alone.

Exit codes: 0 done, 1 failed, 2 called wrongly.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from google.cloud import bigquery

from derive import rollups
from derive.check_command import alert
from derive.rollups import How
from program.duration import duration
from schemas.registry import Registry
from schemas.registry_tables import registry_of
from sql import recomputation
from sql.__main__ import cli as sql
from sql.commands.choice import errors_explained
from sql.commands.estimates import price_per_tib
from sql.connection import Connection, connection
from sql.cost import priced
from sql.questions import moment
from sql.registry import read

cli = sql
cli.add_command(alert)


class _Duration(click.ParamType):
    name = "duration"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        try:
            return duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Moment(click.ParamType):
    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return moment(value, datetime.now(UTC))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: write 2026-05-01, 2026-05-01T12:00:00Z or 'now - 7 days'", param, ctx)


@cli.command()
@connection
@click.option("--from", "from_time", type=_Moment(), help="Look at every hour from then, not at marked hours; as `now - 7 days`.")
@click.option("--to", "to_time", type=_Moment(), help="Until then, with --from.  [default: now]")
@click.option(
    "--registry", "file", type=click.Path(path_type=Path), help="Sites and rules, as TOML.  [default: the registry in the warehouse]"
)
@click.option("--every", type=_Duration(), metavar="10m", help="Again and again, with such a pause, until it is interrupted.")
@click.option("--dry_run", is_flag=True, help="Say what differs, write nothing.")
@click.option(
    "--at_most", type=click.IntRange(1), default=recomputation.SITE_HOURS, show_default=True, help="Hours of sites in one SQL statement."
)
@price_per_tib
def recompute(
    connection: Connection,
    from_time: datetime | None,
    to_time: datetime | None,
    file: Path | None,
    every: timedelta | None,
    dry_run: bool,
    at_most: int,
    price_per_tib: float,
) -> None:
    """Make rollups equal to the facts.

    The pipeline's own rollups are a fast first answer: of what one run saw. This computes the windows of every hour that got
    facts since the last run (the pipeline marks them) from the facts, in the warehouse, and writes those that differ. A second
    run changes nothing. The water balances of these days and the alerts that rest on either follow; nobody is notified.

    \b
    Run it beside a pipeline:              tinybeam sql recompute --every 10m
    After an upgrade, or with no marks:    tinybeam sql recompute --from 2026-05-01
    See what is wrong and write nothing:   tinybeam sql recompute --from 'now - 7 days' --dry_run
    """
    if to_time and not from_time:
        raise click.UsageError("--to needs --from")
    client = connection.open()
    while True:
        try:
            _run(client, (from_time, to_time or datetime.now(UTC)) if from_time else None, file, How(at_most, dry_run))
        except click.ClickException as error:
            if not every:
                raise
            click.echo(f"{error.message}; trying again in {every}", err=True)
        if read := client.bytes_read():
            click.echo(f"it read {priced(read, price_per_tib)}")
        if not every:
            return
        time.sleep(every.total_seconds())


def _run(client: bigquery.Client, times: tuple[datetime, datetime] | None, file: Path | None, how: How) -> None:
    with errors_explained():
        registry = Registry.load(file) if file else registry_of(read(client))
        choice = recomputation.of_span(*times) if times else recomputation.of_marks(client)
        record = rollups.derive(client, choice, registry, click.echo, how)
    click.echo(rollups.counts(record, dry_run=how.dry_run))
