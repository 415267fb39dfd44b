"""Computes site windows anew from the facts, by SQL in the warehouse: which hours, in which statements, and one insert for each.

May be repeated, and by several at once: only what is not as the facts say is written, so a second run writes nothing. A run that ends early
leaves no record, and the next one looks at the same hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud import bigquery

from schemas.arrow import table_columns
from schemas.records import TABLES, Recomputation, SiteWindow
from schemas.warehouse import DATASET

OVERLAP = timedelta(days=1)
"""How much older than the last run marks may be and are looked at again: a pipeline marks an hour again when it gets facts 12 h later."""
SITE_HOURS = 2000
"""Hours of sites in one statement."""

_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_CHOICE = f"{DATASET}.{{}}(@from_time, @to_time, @marked_since, @every_hour"


@dataclass(frozen=True, slots=True)
class Choice:
    """Says which hours to look at: those that were marked since a time, or every one that has facts."""

    from_time: datetime = _EARLIEST
    to_time: datetime = _LATEST
    marked_since: datetime | None = _EARLIEST
    """None: every hour."""
    by_marks: bool = False
    """Whether these are all hours that were marked since the last run."""

    @property
    def parameters(self) -> list[bigquery.ScalarQueryParameter]:
        """Returns the parameters of the table functions."""
        return [
            bigquery.ScalarQueryParameter("from_time", "TIMESTAMP", self.from_time),
            bigquery.ScalarQueryParameter("to_time", "TIMESTAMP", self.to_time),
            bigquery.ScalarQueryParameter("marked_since", "TIMESTAMP", self.marked_since or _EARLIEST),
            bigquery.ScalarQueryParameter("every_hour", "BOOL", self.marked_since is None),
        ]


@dataclass(frozen=True, slots=True)
class Span:
    """Is what one statement looks at: hours from `from_time` to `to_time`, exclusive, in which so many hours of sites are chosen."""

    from_time: datetime
    to_time: datetime
    site_hours: int


def of_span(from_time: datetime, to_time: datetime) -> Choice:
    """Chooses every hour of a time, taken to full hours."""
    return Choice(_floor(from_time), _floor(to_time - timedelta(microseconds=1)) + _HOUR, None)


def of_marks(client: bigquery.Client) -> Choice:
    """Chooses the hours that were marked since the last run, less OVERLAP; without a last run all that were ever marked."""
    [row] = client.query_and_wait(f"select max(started_time) as last from {DATASET}.{TABLES[Recomputation].name} where by_marks")
    return Choice(marked_since=row["last"] - OVERLAP if row["last"] else _EARLIEST, by_marks=True)


def spans(client: bigquery.Client, choice: Choice, at_most: int = SITE_HOURS) -> list[Span]:
    """Returns what to look at, in order of time, with at most so many hours of sites each (a single hour may have more)."""
    query = f"select hour, sites from {_CHOICE.format('hours_to_recompute')}) order by hour"
    rows = client.query_and_wait(query, job_config=bigquery.QueryJobConfig(query_parameters=choice.parameters))
    return list(_joined((Span(row["hour"], row["hour"] + _HOUR, row["sites"]) for row in rows), at_most))


def recompute(client: bigquery.Client, choice: Choice, span: Span, now: datetime, *, dry_run: bool = False) -> int:
    """Writes the windows of the span that are not what the facts say; returns how many. With `dry_run` only counts them."""
    within = Choice(span.from_time, span.to_time, choice.marked_since)
    parameters = [*within.parameters, bigquery.ScalarQueryParameter("computed_at", "TIMESTAMP", now)]
    config = bigquery.QueryJobConfig(query_parameters=parameters)
    differing = f"from {_CHOICE.format('recomputed_site_windows')}, @computed_at)"
    if dry_run:
        [row] = client.query_and_wait(f"select count(*) as windows {differing}", job_config=config)
        return int(row["windows"])
    names = ", ".join(f"`{column.name}`" for column in table_columns(SiteWindow))
    job = client.query(f"insert into {DATASET}.{TABLES[SiteWindow].name} ({names}) select {names} {differing}", job_config=config)
    job.result()
    return int(job.num_dml_affected_rows or 0)


def keep(client: bigquery.Client, record: Recomputation) -> None:
    """Adds the record of a run that came to its end."""
    values: dict[str, Any] = asdict(record)
    columns = {column.name: column.type for column in table_columns(Recomputation)}
    parameters = [bigquery.ScalarQueryParameter(name, kind.upper(), values[name]) for name, kind in columns.items()]
    statement = (
        f"insert into {DATASET}.{TABLES[Recomputation].name} ({', '.join(columns)}) values ({', '.join(f'@{name}' for name in columns)})"
    )
    client.query_and_wait(statement, job_config=bigquery.QueryJobConfig(query_parameters=parameters))


def _joined(hours: Iterable[Span], at_most: int) -> Iterator[Span]:
    """Joins hours to spans. Over a day without any begins another, so that no statement reads days of which it wants nothing."""
    open_: Span | None = None
    for hour in hours:
        if open_ and (open_.site_hours + hour.site_hours > at_most or hour.from_time - open_.to_time >= _DAY):
            yield open_
            open_ = None
        open_ = Span(open_.from_time, hour.to_time, open_.site_hours + hour.site_hours) if open_ else hour
    if open_:
        yield open_


def _floor(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
