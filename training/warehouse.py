"""Asks the warehouse for what a model can learn from: the only module of training that knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from random import Random
from typing import Any

import click
from google.cloud import bigquery

from schemas.datasets import Datasets
from sql.questions import ask
from sql.scripts import script
from sql.service import Target, connect
from training.build.snapshot import Snapshot
from training.soil import training_set as soil_windows
from training.vibration import training_set as machine_windows

_WAIT_SECONDS = 60.0


def client(project: str) -> bigquery.Client:
    """Returns a client of a project's warehouse, the real one or a local server's, once it answers. Raises sql.service.ServiceError."""
    target = Target(project, datasets=Datasets.of_environment())
    return connect(target, _WAIT_SECONDS, lambda text: click.echo(text, err=True), Random())


def soil(warehouse: bigquery.Client, from_time: datetime, until: datetime) -> tuple[soil_windows.TrainingSet, Snapshot]:
    """Returns the soil windows from one time on, as far as they were known at another. Raises GoogleAPICallError from the service."""
    rows, snapshot = _asked(warehouse, "soil_training_set", from_time, until)
    return soil_windows.of_rows(rows), snapshot


def vibration(
    warehouse: bigquery.Client, from_time: datetime, until: datetime, models: Sequence[str]
) -> tuple[machine_windows.TrainingSet, Snapshot]:
    """Returns the machines' windows of which these model files got the inputs; else as `soil`."""
    rows, snapshot = _asked(warehouse, "vibration_training_set", from_time, until, models=",".join(models))
    return machine_windows.of_rows(rows), snapshot


def _asked(
    warehouse: bigquery.Client, query: str, from_time: datetime, until: datetime, **values: str
) -> tuple[Iterator[dict[str, Any]], Snapshot]:
    question = script("queries", query)
    answer = ask(warehouse, question, {"from_time": from_time.isoformat(), "until": until.isoformat(), **values}, until)
    digest = sha256(question.text.encode()).hexdigest()
    return (dict(row) for row in answer), Snapshot(query=question.name, query_sha256=digest, from_time=from_time, until=until)
