"""Sets after how many days BigQuery deletes the partitions of a table, and the labels of tables and datasets.

Only what is named is touched, and only where it differs: labels of others stay, and so does the expiry of a table that nobody names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from schemas.records import TABLES
from sql.client import datasets_of
from sql.step import Step

FOR_EVER = 0
"""Days of a table whose partitions never expire."""

_DAY = timedelta(days=1)
_LABEL = re.compile(r"([a-z][a-z0-9_-]{0,62})=([a-z0-9_-]{0,63})")
_PARTITIONED = {table.name: table.partition for table in TABLES.values() if table.partition}


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Says after how many days partitions of which table expire, and which labels tables and datasets bear."""

    days: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


def days(texts: Iterable[str]) -> dict[str, int]:
    """Reads `DAYS`, which is for every table that is partitioned, and `TABLE=DAYS`, for one. Raises ValueError."""
    of_all, of_one = dict[str, int](), dict[str, int]()
    for text in texts:
        table, equals, number = text.rpartition("=")
        if not re.fullmatch(r"[0-9]{1,5}", number):
            raise ValueError(f"write DAYS or TABLE=DAYS, 0 for never, not {text!r}")
        if equals and table not in _PARTITIONED:
            raise ValueError(f"no table {table!r} has partitions; {', '.join(sorted(_PARTITIONED))} have")
        if equals:
            of_one[table] = int(number)
        else:
            of_all = dict.fromkeys(_PARTITIONED, int(number))
    return of_all | of_one


def labels(texts: Iterable[str]) -> dict[str, str]:
    """Reads `KEY=VALUE`. Raises ValueError."""
    found = {}
    for text in texts:
        label = _LABEL.fullmatch(text)
        if not label:
            raise ValueError(f"write KEY=VALUE in lower-case letters, digits, - and _, the key from a letter, not {text!r}")
        found[label[1]] = label[2]
    return found


def steps(client: bigquery.Client, upkeep: Upkeep, now: datetime) -> Iterator[Step]:
    """Yields what differs from it, for tables that are there and those that will be."""
    if not (upkeep.days or upkeep.labels):
        return
    names = datasets_of(client)
    for dataset in dict.fromkeys((names.tables, names.of_views)):
        yield from _labels_of_dataset(client, dataset, upkeep.labels)
    for name in (table.name for table in TABLES.values()):
        there = _table(client, names.path(name))
        if name in upkeep.days:
            yield from _expiry(there, name, upkeep.days[name], now)
        if missing := _missing(upkeep.labels, there.labels if there else {}):
            yield Step(f"label table {name} {missing}", partial(_label_table, name=name, labels=upkeep.labels))


def _table(client: bigquery.Client, path: str) -> bigquery.Table | None:
    try:
        return client.get_table(path)
    except NotFound:
        return None


def _expiry(there: bigquery.Table | None, name: str, wanted: int, now: datetime) -> Iterator[Step]:
    before = _days_of(there)
    if wanted == before:
        return
    loses = there is not None and wanted != FOR_EVER and (before == FOR_EVER or wanted < before)
    instead = f", not {_text(before)}" if there else ""
    yield Step(
        f"let partitions of {name} expire {_text(wanted)}{instead}",
        partial(_expire, name=name, days=wanted),
        f"rows of {name} whose {_PARTITIONED[name]} is before {now - wanted * _DAY:%Y-%m-%d} are deleted" if loses else "",
    )


def _days_of(there: bigquery.Table | None) -> int:
    """Returns after how many days partitions of a table expire."""
    if there is None or there.time_partitioning is None or not there.time_partitioning.expiration_ms:
        return FOR_EVER
    return round(timedelta(milliseconds=there.time_partitioning.expiration_ms) / _DAY)


def _text(wanted: int) -> str:
    return f"after {wanted} days" if wanted else "never"


def _expire(client: bigquery.Client, *, name: str, days: int) -> None:
    table = client.get_table(datasets_of(client).path(name))
    partitioning = table.time_partitioning
    partitioning.expiration_ms = int(days * _DAY / timedelta(milliseconds=1)) if days else None
    table.time_partitioning = partitioning
    client.update_table(table, ["time_partitioning"])


def _label_table(client: bigquery.Client, *, name: str, labels: Mapping[str, str]) -> None:
    table = client.get_table(datasets_of(client).path(name))
    table.labels = {**table.labels, **labels}
    client.update_table(table, ["labels"])


def _labels_of_dataset(client: bigquery.Client, name: str, labels: Mapping[str, str]) -> Iterator[Step]:
    try:
        there = client.get_dataset(name).labels
    except NotFound:
        there = {}
    if missing := _missing(labels, there):
        yield Step(f"label dataset {name} {missing}", partial(_label_dataset, name=name, labels=labels))


def _label_dataset(client: bigquery.Client, *, name: str, labels: Mapping[str, str]) -> None:
    dataset = client.get_dataset(name)
    dataset.labels = {**dataset.labels, **labels}
    client.update_dataset(dataset, ["labels"])


def _missing(wanted: Mapping[str, str], there: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(wanted.items()) if there.get(key) != value)
