"""Tells whether a dataset's functions and views are those of these files: a label of the dataset is the fingerprint of their statements.

Replacing sixty objects that are what they were costs minutes of a service's time; asking costs two lists. What somebody replaced by hand
is not seen: `tinybeam sql apply --again` replaces it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

LABEL = "tinybeam_objects"
_DIGITS = 32  # a label's value has at most 63 characters


def fingerprint(statements: Iterable[str]) -> str:
    """Returns a label's value that is another for other statements or another order of them."""
    return hashlib.sha256("\0".join(statements).encode()).hexdigest()[:_DIGITS]


def is_recorded(client: bigquery.Client, dataset: str, value: str, names: Iterable[str]) -> bool:
    """Returns whether the dataset bears this fingerprint and still has every object of these names."""
    try:
        return client.get_dataset(dataset).labels.get(LABEL) == value and set(names) <= _objects(client, dataset)
    except NotFound:
        return False


def record(client: bigquery.Client, dataset: str, value: str) -> None:
    """Labels the dataset; its other labels stay."""
    labelled = client.get_dataset(dataset)
    labelled.labels = {**labelled.labels, LABEL: value}
    client.update_dataset(labelled, ["labels"])


def _objects(client: bigquery.Client, dataset: str) -> set[str]:
    return {table.table_id for table in client.list_tables(dataset)} | {routine.routine_id for routine in client.list_routines(dataset)}
