"""Counts what a run did, as metrics of the engine: shown by Dataflow while it runs, and in sentences at the end of a batch run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from apache_beam.metrics.execution import MetricResult
from apache_beam.metrics.metric import MetricResults, Metrics, MetricsFilter
from apache_beam.metrics.metricbase import Counter, Distribution

from pipeline.counts import NAMESPACE, Counts, counted_reason
from pipeline.elements import TableRows
from pipeline.exposition import Ages, exposition
from schemas.records import TABLES, Reject

_REJECTS = TABLES[Reject].name


@cache
def counter(name: str) -> Counter:
    """Returns a counter: `counter("messages").inc()`."""
    return Metrics.counter(NAMESPACE, name)


def count_rows(rows: TableRows) -> None:
    """Counts rows by table, and rejects by reason."""
    counter(f"rows/{rows.table}").inc(rows.rows.num_rows)
    if rows.table == _REJECTS:
        for reason in rows.rows.column("reason").to_pylist():
            counter(f"rejects/{counted_reason(reason)}").inc()


def count_late(table: str) -> None:
    """Counts that rows of a table have waited for another LATE_SECONDS."""
    counter(f"late_appends/{table}").inc()


def measure_ages(seconds: Iterable[float]) -> None:
    """Measures how old new batches are when they are decoded: since their cut at the gateway, by its clock."""
    ages = _ages()
    for age in seconds:
        ages.update(max(int(age), 0))


@cache
def _ages() -> Distribution:
    return Metrics.distribution(NAMESPACE, "batch_age_seconds")


def of_run(results: MetricResults) -> Counts:
    """Returns what the engine counted over all workers: of bundles that took effect, where it knows them."""
    return Counts.of(_counters(results))


def exposed(results: MetricResults) -> str:
    """Returns the same for Prometheus, of a run that goes on."""
    found = results.query(MetricsFilter().with_namespace(NAMESPACE))["distributions"]
    ages = [value for one in found if (value := _value(one)) and value.count]
    total = Ages(sum(age.count for age in ages), sum(age.sum for age in ages), max((age.max for age in ages), default=0))
    return exposition(_counters(results), total)


def _counters(results: MetricResults) -> dict[str, int]:
    found = results.query(MetricsFilter().with_namespace(NAMESPACE))["counters"]
    values = {one.key.metric.name: 0 for one in found}
    for one in found:
        values[one.key.metric.name] += _value(one) or 0
    return values


def _value(one: MetricResult) -> Any:
    """Returns what took effect, where the engine knows it."""
    return one.committed if one.committed is not None else one.attempted
