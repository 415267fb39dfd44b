"""Shows what scripts would read and cost, each on a line, and what all of them would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import click
from google.cloud import bigquery

from sql import present
from sql.cost import PRICE_PER_TIB, Cost, cost, estimate
from sql.scripts import Script
from sql.service import local_host

price_per_tib = click.option(
    "--price_per_tib",
    type=click.FloatRange(0),
    envvar="TINYBEAM_PRICE_PER_TIB",
    default=PRICE_PER_TIB,
    show_default=False,
    metavar="USD",
    help=f"What a TiB that is read costs.  [default: $TINYBEAM_PRICE_PER_TIB, else {PRICE_PER_TIB:g}, the list price of "
    "queries on demand in US and EU since 2023-07-05; at least 10 MB a table are billed]",
)
"""Adds the price to a command."""


def show(client: bigquery.Client, asked: Iterable[tuple[Script, Mapping[str, str]]], price: float, *, as_json: bool = False) -> None:
    """Prints the costs of scripts with their parameters."""
    now, local = datetime.now(UTC), local_host() is not None
    costs = [cost(script, estimate(client, script, values, now), price, local=local) for script, values in asked]
    if as_json:
        click.echo(present.as_json([one.row() for one in costs]))
        return
    for one in costs:
        click.echo(str(one))
    if len(costs) > 1 and all(one.bytes is not None for one in costs):
        click.echo(str(Cost("all of them", sum(one.bytes or 0 for one in costs), price)))
