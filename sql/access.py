"""Lets views and functions that have a dataset of their own read the tables, so that whoever asks them needs no right on the tables.

One entry authorises all views of the dataset, those to come too. A function that reads a table has an entry of its own, which BigQuery
voids when the function is replaced: so the entries are written anew after each apply. What else the access list holds stays.
"""

from __future__ import annotations

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from schemas.datasets import Datasets
from schemas.records import TABLES
from sql.client import datasets_of
from sql.scripts import Script, scripts

_TABLES = {table.name for table in TABLES.values()}


def authorise(client: bigquery.Client) -> None:
    """Writes the entries into the access list of the tables' dataset. Raises GoogleAPICallError."""
    datasets = datasets_of(client)
    dataset = client.get_dataset(datasets.tables)
    ours = entries(client.project, datasets)
    theirs = [entry for entry in dataset.access_entries if not _is_ours(entry, client.project, datasets)]
    dataset.access_entries = [*theirs, *ours]
    client.update_dataset(dataset, ["access_entries"])


def is_authorised(client: bigquery.Client) -> bool:
    """Returns whether each entry is there."""
    datasets = datasets_of(client)
    try:
        there = client.get_dataset(datasets.tables).access_entries
    except NotFound:
        return False
    return all(entry in there for entry in entries(client.project, datasets))


def entries(project: str, datasets: Datasets) -> list[bigquery.AccessEntry]:
    """Returns what lets the dataset of the views read that of the tables."""
    views = {"dataset": {"projectId": project, "datasetId": datasets.of_views}, "targetTypes": ["VIEWS"]}
    readers = [script for script in scripts("functions") if _reads_tables(script)]
    return [bigquery.AccessEntry(None, "dataset", views)] + [
        bigquery.AccessEntry(None, "routine", _routine(project, datasets, script.name)) for script in readers
    ]


def _reads_tables(script: Script) -> bool:
    return bool(script.references & _TABLES)


def _routine(project: str, datasets: Datasets, name: str) -> dict[str, str]:
    return {"projectId": project, "datasetId": datasets.of_views, "routineId": f"{datasets.prefix}{name}"}


def _is_ours(entry: bigquery.AccessEntry, project: str, datasets: Datasets) -> bool:
    """Returns whether the entry is of the views' dataset: one of before is written anew, or is of a function that is no more."""
    there = entry.routine or entry.dataset
    if entry.view or there is None:
        return False
    return (there.project, there.dataset_id) == (project, datasets.of_views) and _begins(entry, datasets.prefix)


def _begins(entry: bigquery.AccessEntry, prefix: str) -> bool:
    return not entry.routine or entry.routine.routine_id.startswith(prefix)
