"""`tinybeam sql apply` brings a warehouse to what sql/ says."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import click

from sql import application, upkeep
from sql.commands.choice import errors_explained
from sql.connection import Connection, connection
from sql.step import Step
from sql.upkeep import Upkeep

_Read = TypeVar("_Read")


def _read_by(read: Callable[[Iterable[str]], _Read]) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], _Read]:
    """Returns the callback of an option that reads its texts so."""

    def callback(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> Any:
        try:
            return read(texts)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error

    return callback


@click.command()
@connection
@click.option(
    "--partition_expiration_days",
    "days",
    multiple=True,
    envvar="TINYBEAM_PARTITION_EXPIRATION_DAYS",
    callback=_read_by(upkeep.days),
    metavar="[TABLE=]DAYS",
    help="After so many days BigQuery deletes a partition of the table, or of every partitioned table; 0: never. May be repeated.  "
    "[default: $TINYBEAM_PARTITION_EXPIRATION_DAYS, else as it is]",
)
@click.option(
    "--labels",
    multiple=True,
    envvar="TINYBEAM_LABELS",
    callback=_read_by(upkeep.labels),
    metavar="KEY=VALUE",
    help="Label of datasets and tables, for example for the bill; others stay. May be repeated.  [default: $TINYBEAM_LABELS]",
)
@click.option("--dry_run", is_flag=True, help="Say what would be done, do nothing.")
@click.option("--again", is_flag=True, help="Replace functions and views even if they seem to be those of these files.")
@click.option("--yes", is_flag=True, help="Do not ask before rows are deleted because their partitions expire sooner.")
def apply(connection: Connection, days: dict[str, int], labels: dict[str, str], *, dry_run: bool, again: bool, yes: bool) -> None:
    """Create the datasets and tables, add new columns, replace functions and views. May be repeated; drops nothing.

    What is as these files say is left alone: a label of the dataset, tinybeam_objects, is the fingerprint of its functions and views.

    With --views_dataset, views and functions are in a dataset of their own that may read the tables: give analysts the role BigQuery Data
    Viewer on it, and none on the tables. Whoever runs this must own both datasets. Views of before stay where they were.

    \b
    Examples:
      tinybeam sql apply --location EU
      tinybeam sql apply --dataset farm --views_dataset farm_views --location europe-west1 --dry_run
      tinybeam sql apply --partition_expiration_days 1095 --partition_expiration_days rejects_v1=90 --labels team=farm
    """
    with errors_explained():
        client = connection.open()
        steps = application.plan(client, connection.target.location, Upkeep(days, labels), again=again)
        if dry_run:
            _foretell(steps)
        else:
            _ask_before_loss(steps, yes=yes)
            application.carry_out(client, steps, click.echo)
        if not steps:
            click.echo("nothing to do: tables, functions and views are those of these files")


def _foretell(steps: Sequence[Step]) -> None:
    for step in steps:
        click.echo(f"would {step.action}{f': {step.loses}' if step.loses else ''}")


def _ask_before_loss(steps: Sequence[Step], *, yes: bool) -> None:
    """Asks whether rows may be deleted. Raises ClickException where nobody can be asked, Abort for a no."""
    losses = [step.loses for step in steps if step.loses]
    for loss in losses:
        click.echo(loss, err=True)
    if not losses or yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException("nothing is done: rows would be deleted; say --yes if they may be")
    click.confirm("BigQuery deletes them for good. Go on?", abort=True, err=True)
