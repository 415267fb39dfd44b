"""Ends a batch run: the rollups of the hours that it touched become what all facts say, its own and those of runs before it."""

from __future__ import annotations

from datetime import datetime

from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

from derive import rollups
from derive.rollups import Echo
from pipeline.io.warehouse import Warehouse
from schemas.registry import Registry
from sql.recomputation import Choice
from sql.service import Target, open_client, reason


class NotRecomputed(RuntimeError):
    """The facts are there and the rollups are not what they say; the text says why and what to do."""


def recompute_in(warehouse: Warehouse, started: datetime, registry: Registry, echo: Echo) -> None:
    """Does so in the pipeline's own warehouse. Raises NotRecomputed."""
    with open_client(Target(warehouse.project, datasets=warehouse.datasets), warehouse.endpoint) as client:
        recompute(client, started, registry, echo)


def recompute(client: bigquery.Client, started: datetime, registry: Registry, echo: Echo) -> None:
    """Looks at the hours that were marked since the run started. Raises NotRecomputed."""
    try:
        record = rollups.derive(client, Choice(marked_since=started), registry, echo)
    except GoogleAPICallError as error:
        raise NotRecomputed(
            f"the facts are loaded, but rollups could not be computed from them ({reason(error)}): run `tinybeam sql apply`, then "
            "`tinybeam sql recompute`"
        ) from error
    echo(rollups.counts(record))
