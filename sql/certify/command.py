"""`tinybeam certify` compares two warehouses. Exit codes: 0 equal, 1 different or failed, 2 called wrongly."""

from __future__ import annotations

from random import Random

import click
from google.api_core.exceptions import GoogleAPICallError

from schemas.datasets import Datasets
from sql.certify import report
from sql.certify.comparison import Comparison, compare
from sql.certify.relations import RELATIONS, Relation
from sql.certify.warehouse import NoRelation, Warehouse
from sql.service import ServiceError, Target, connect, reason

_NAMES = [relation.name for relation in RELATIONS]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--only", multiple=True, type=click.Choice(_NAMES), metavar="NAME", help="Compare this table or view only; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object in a list.")
@click.option(
    "--wait", "wait_seconds", default=60.0, show_default=True, help="How long to wait for a warehouse that does not answer, in seconds."
)
def cli(a: str, b: str, only: tuple[str, ...], wait_seconds: float, *, as_json: bool) -> None:
    """Certify that two warehouses A and B hold and show the same, row by row; A and B are PROJECT, PROJECT.DATASET or
    PROJECT.DATASET.VIEWS_DATASET.

    Facts are compared by their identity, to the last bit; what is derived from them as the views show it, floats within 1e-9. Columns that
    depend on the run, such as received_time, are not compared: they are printed with the reason. The first row that differs is shown with
    its key, its column and both values.

    \b
    What streaming wrote, against a rebuild from the archive:
      tinybeam pipeline --mode=batch --input=gs://my-bucket/archive --project=rebuilt --signature_keys=pipeline.key
      tinybeam certify my-project rebuilt

    A day is compared as one number, and its rows only where that differs. On BigQuery each side's tables and views are read once for it.
    Rollups of a streaming run are a fast first answer: `tinybeam sql recompute` both sides before they are compared.
    """
    relations = [relation for relation in RELATIONS if not only or relation.name in only]
    try:
        comparisons = _compared(relations, _warehouse(a, wait_seconds), _warehouse(b, wait_seconds), quiet=as_json)
    except (ServiceError, NoRelation) as error:
        raise click.ClickException(str(error)) from error
    except GoogleAPICallError as error:
        raise click.ClickException(reason(error)) from error
    if as_json:
        click.echo(report.as_json(a, b, comparisons))
    else:
        click.echo("\n".join(report.exclusions(relations)))
        click.echo(report.verdict(comparisons))
    if not all(comparison.equal for comparison in comparisons):
        raise click.exceptions.Exit(1)


def _warehouse(name: str, wait_seconds: float) -> Warehouse:
    project, datasets = _split(name)
    return Warehouse(connect(Target(project), wait_seconds, lambda text: click.echo(text, err=True), Random()), project, datasets)


def _split(name: str) -> tuple[str, Datasets]:
    """Splits PROJECT.DATASET.VIEWS_DATASET; a project may have a domain with dots before a colon."""
    domain, colon, rest = name.rpartition(":")
    project, *named = rest.split(".")
    try:
        settings = Datasets.of_environment()
        datasets = Datasets(named[0], "".join(named[1:]), settings.prefix) if named else settings
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if len(named) > len(("dataset", "views_dataset")):
        raise click.UsageError(f"{name!r} is not PROJECT, PROJECT.DATASET or PROJECT.DATASET.VIEWS_DATASET")
    return f"{domain}{colon}{project}", datasets


def _compared(relations: list[Relation], a: Warehouse, b: Warehouse, *, quiet: bool) -> list[Comparison]:
    comparisons = []
    for relation in relations:
        comparisons.append(compare(relation, a, b))
        if not quiet:
            click.echo(report.line(comparisons[-1]))
    return comparisons


if __name__ == "__main__":
    cli(prog_name="tinybeam certify")
