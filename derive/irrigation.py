"""Computes water balances anew for the days that recomputed hours may have changed, by the pipeline's own logic from hours of the facts.

Idempotent: a day gets a new revision only if its row differs from the one that is shown by more than rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from google.cloud import bigquery

from derive.hours import by_site, hours_between
from derive.rows import append
from pipeline.irrigation.days import HISTORY_DAYS, rows_of
from pipeline.irrigation.fields import Fields
from schemas.arrow import table_columns
from schemas.records import Irrigation
from schemas.registry import Registry
from schemas.warehouse import DATASET
from sql.recomputation import Span

_DAY = timedelta(days=1)
_MARGIN = HISTORY_DAYS * _DAY
_MOST = timedelta(days=31)
"""So many days are computed from one query."""
_OF_THE_RUN = {"revision", "as_of"}


@dataclass(frozen=True, slots=True)
class Days:
    """Holds days from `first` to `end`, exclusive, whose hours were looked at."""

    first: datetime
    end: datetime


def derive(client: bigquery.Client, registry: Registry, spans: Iterable[Span], now: datetime, *, dry_run: bool) -> list[Irrigation]:
    """Writes a new revision of each day of a field whose row is not what the facts say; returns these rows."""
    fields = Fields(registry)
    sites = sorted({site.site_id for site in registry.sites if site.site_id in fields})
    changed = [row for days in _days(spans) for row in _differing(client, fields, sites, days, now)] if sites else []
    if changed and not dry_run:
        append(client, Irrigation, changed)
    return changed


def _days(spans: Iterable[Span]) -> Iterator[Days]:
    """Joins what was looked at to runs of days, none longer than can be computed at once."""
    days = sorted({_floor(span.from_time) + number * _DAY for span in spans for number in range(_length(span))})
    run: list[datetime] = []
    for day in days:
        if run and (day - run[-1] > _DAY or day - run[0] >= _MOST):
            yield Days(run[0], run[-1] + _DAY)
            run = []
        run.append(day)
    if run:
        yield Days(run[0], run[-1] + _DAY)


def _length(span: Span) -> int:
    """Counts the days that a span lies in."""
    return (_floor(span.to_time - timedelta(microseconds=1)) - _floor(span.from_time)) // _DAY + 1


def _differing(client: bigquery.Client, fields: Fields, sites: list[str], days: Days, now: datetime) -> Iterator[Irrigation]:
    """Yields the next revision of each day that differs. The days after are looked at too, for a day rests on those before it."""
    hours = by_site(hours_between(client, days.first - _MARGIN, days.end + _MARGIN, sites))
    shown = _shown(client, sites, days.first, days.end + _MARGIN)
    for site_id, of_site in hours.items():
        for row in rows_of(fields, site_id, of_site, now):
            before = shown.get((site_id, row.day))
            if days.first <= row.day < days.end + _MARGIN and not (before and _same(_content(row), _content(before))):
                yield replace(row, revision=before["revision"] + 1 if before else 0)


def _shown(client: bigquery.Client, sites: list[str], begin: datetime, end: datetime) -> dict[tuple[str, datetime], dict[str, Any]]:
    query = f"select * from {DATASET}.irrigation_between(@begin, @end) where site_id in unnest(@sites)"
    rows = client.query_and_wait(query, job_config=_parameters(sites, begin, end))
    return {(row["site_id"], row["day"]): dict(row) for row in rows}


def _parameters(sites: list[str], begin: datetime, end: datetime) -> bigquery.QueryJobConfig:
    return bigquery.QueryJobConfig(
        query_parameters=[
            bigquery.ArrayQueryParameter("sites", "STRING", sites),
            bigquery.ScalarQueryParameter("begin", "TIMESTAMP", begin),
            bigquery.ScalarQueryParameter("end", "TIMESTAMP", end),
        ]
    )


def _content(row: Irrigation | dict[str, Any]) -> dict[str, Any]:
    values = asdict(row) if isinstance(row, Irrigation) else row
    return {column.name: values[column.name] for column in table_columns(Irrigation) if column.name not in _OF_THE_RUN}


def _same(one: Any, other: Any) -> bool:
    """Tells whether two values are equal but for rounding."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other or ()) and all(map(_same, one, other or ()))
    return bool(one == other)


def _floor(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
