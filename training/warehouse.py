"""Asks the warehouse for what a model can learn from: the only module of training that knows it."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from random import Random

import click
from google.cloud import bigquery

from schemas.datasets import Datasets
from sql.questions import ask
from sql.scripts import script
from sql.service import Target, connect
from training.soil.training_set import Snapshot, TrainingSet, of_rows

_WAIT_SECONDS = 60.0
_SOIL = "soil_training_set"


def client(project: str) -> bigquery.Client:
    """Returns a client of a project's warehouse, the real one or a local server's, once it answers. Raises sql.service.ServiceError."""
    target = Target(project, datasets=Datasets.of_environment())
    return connect(target, _WAIT_SECONDS, lambda text: click.echo(text, err=True), Random())


def soil(warehouse: bigquery.Client, from_time: datetime, until: datetime) -> tuple[TrainingSet, Snapshot]:
    """Returns the soil windows from one time on, as far as they were known at another. Raises GoogleAPICallError from the service."""
    question = script("queries", _SOIL)
    answer = ask(warehouse, question, {"from_time": from_time.isoformat(), "until": until.isoformat()}, until)
    digest = sha256(question.text.encode()).hexdigest()
    return of_rows(dict(row) for row in answer), Snapshot(query=question.name, query_sha256=digest, from_time=from_time, until=until)
