"""Tells whether a dataset's functions and views are those of these files: a label of the dataset is the fingerprint of their statements.

Replacing objects that are what they were is a job for each; asking is three requests. What somebody replaced by hand is not seen:
`tinybeam sql apply --again` replaces it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from schemas.datasets import Datasets
from sql.client import datasets_of

LABEL = "tinybeam_objects"
_DIGITS = 32  # a label's value has at most 63 characters


def fingerprint(statements: Iterable[str]) -> str:
    """Returns a label's value that is another for other statements or another order of them."""
    return hashlib.sha256("\0".join(statements).encode()).hexdigest()[:_DIGITS]


def is_recorded(client: bigquery.Client, value: str, names: Iterable[str]) -> bool:
    """Returns whether the dataset of views bears this fingerprint and still has every object of these names."""
    datasets = datasets_of(client)
    try:
        recorded = client.get_dataset(datasets.of_views).labels.get(_label(datasets)) == value
        return recorded and {f"{datasets.prefix}{name}" for name in names} <= _objects(client, datasets.of_views)
    except NotFound:
        return False


def record(client: bigquery.Client, value: str) -> None:
    """Labels the dataset of views; its other labels stay."""
    datasets = datasets_of(client)
    labelled = client.get_dataset(datasets.of_views)
    labelled.labels = {**labelled.labels, _label(datasets): value}
    client.update_dataset(labelled, ["labels"])


def _label(datasets: Datasets) -> str:
    """Returns a key for each prefix, as several may share a dataset; keys are in lower case and have at most 63 characters."""
    return f"{LABEL}_{datasets.prefix.lower()}"[:63].rstrip("_") if datasets.prefix else LABEL


def _objects(client: bigquery.Client, dataset: str) -> set[str]:
    return {table.table_id for table in client.list_tables(dataset)} | {routine.routine_id for routine in client.list_routines(dataset)}
