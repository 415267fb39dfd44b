"""Brings alerts of site windows and of irrigation to what the true values say: adds those that are missing, closes those that are over.

The pipeline's own state machines run over the values that are shown now. What is younger than an hour is left to the running pipeline,
which may know more than the warehouse. Nobody is notified. Idempotent: what is there, or was closed, is not written again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from google.cloud import bigquery

from derive.rows import append
from pipeline.alerts.observation import Observation
from pipeline.alerts.source import AlertSource
from pipeline.alerts.sources import SOURCES, state_machines, watched
from pipeline.alerts.state_machine import StateMachine
from pipeline.rollup.stats import HOUR, SECOND, Key, Stats, WindowResult
from schemas.arrow import table_columns
from schemas.envelope import from_micros, micros
from schemas.records import TABLES, Alert, AlertChange, Irrigation, Probe, Timing
from schemas.registry import Registry
from schemas.rules.site_window import SiteWindowRule
from schemas.warehouse import DATASET
from sql.recomputation import Span

SETTLED = timedelta(hours=1)
"""How old values must be: a running pipeline has told of them by then, and its rows are in the warehouse."""
LOOK_BACK = timedelta(days=3)
"""How much earlier than the first hour that was looked at the state machines begin."""

_ALERTS = f"{DATASET}.{TABLES[Alert].name}"


@dataclass(frozen=True, slots=True)
class _Values:
    """Holds what the sources observe, from a time on."""

    windows: Sequence[WindowResult]
    irrigation: Sequence[Irrigation]


def derive(client: bigquery.Client, registry: Registry, spans: Sequence[Span], now: datetime, *, dry_run: bool) -> list[Alert]:
    """Writes the rows that are missing; returns them."""
    sources = [found for source in SOURCES if source.INPUT != "row_groups" and (found := watched(source, registry))]
    if not spans or not sources:
        return []
    begin = min(span.from_time for span in spans) - LOOK_BACK
    values = _Values(_windows(client, registry, begin), _days(client, begin))
    observed = _observed(sources, values, now)
    known = _known(client)
    machines = state_machines(registry)
    missing = [
        row
        for (rule, subject), of_subject in sorted(observed.items())
        for row in corrections(machines[rule], of_subject, known.get((rule, subject), []), now)
    ]
    if missing and not dry_run:
        append(client, Alert, missing)
    return missing


def corrections(machine: StateMachine, observed: Iterable[Observation], known: Sequence[Alert], now: datetime) -> Iterator[Alert]:
    """Yields the rows by which the alerts of one rule and subject become what was observed. `known` are their latest rows."""
    settled = sorted((one for one in observed if one.known_at <= micros(now - SETTLED)), key=lambda one: one.order)
    alerts: dict[str, list[Alert]] = defaultdict(list)
    for row in machine.run(settled, now):
        alerts[row.alert_id].append(row)
    for rows in alerts.values():
        if not any(_overlap(rows[0].opened_time, rows[-1], alert) for alert in known):
            yield from (replace(row, historical=True, notified=False) for row in rows)
    still_open = any(rows[-1].state != AlertChange.RESOLVED for rows in alerts.values())
    for alert in known:
        if settled and not still_open and alert.state != AlertChange.RESOLVED and micros(alert.event_time) <= settled[-1].at:
            yield _closed(alert, settled[-1], now)


def _overlap(opened: datetime, last: Alert, known: Alert) -> bool:
    """Tells whether an alert that opened then, and whose last row this is, and one that is known are of the same time."""
    begins_before_the_end = known.state != AlertChange.RESOLVED or opened <= known.event_time
    ends_after_the_begin = last.state != AlertChange.RESOLVED or known.opened_time <= last.event_time
    return begins_before_the_end and ends_after_the_begin


def _closed(alert: Alert, last: Observation, now: datetime) -> Alert:
    return replace(
        alert,
        state=AlertChange.RESOLVED,
        event_time=from_micros(last.at),
        value=last.value,
        message=f"{last.text}: closed, corrected by recomputation from all facts",
        historical=True,
        notified=False,
        revision=alert.revision + 1,
        as_of=now,
    )


def _observed(sources: Iterable[AlertSource], values: _Values, now: datetime) -> dict[tuple[str, str], list[Observation]]:
    found: dict[tuple[str, str], list[Observation]] = defaultdict(list)
    for source in sources:
        for element in values.windows if source.INPUT == "windows" else values.irrigation:
            for observation in source.observe(element, micros(now)):
                found[observation.rule, observation.subject].append(observation)
    return found


def _windows(client: bigquery.Client, registry: Registry, begin: datetime) -> list[WindowResult]:
    """Returns the windows of those lengths and channels that a rule watches."""
    lengths_and_channels = sorted({f"{rule.window_seconds} {rule.channel}" for rule in registry.rules if isinstance(rule, SiteWindowRule)})
    query = (
        f"select * from {DATASET}.site_windows "
        "where window_start >= @begin and concat(cast(window_seconds as string), ' ', channel) in unnest(@watched)"
    )
    rows = client.query_and_wait(
        query, job_config=_parameters(begin, bigquery.ArrayQueryParameter("watched", "STRING", lengths_and_channels))
    )
    return [_window(row) for row in rows]


def _days(client: bigquery.Client, begin: datetime) -> list[Irrigation]:
    rows = client.query_and_wait(f"select * from {DATASET}.irrigation where day >= @begin", job_config=_parameters(begin))
    return [_day(dict(row)) for row in rows]


def _parameters(begin: datetime, *others: bigquery.ArrayQueryParameter) -> bigquery.QueryJobConfig:
    return bigquery.QueryJobConfig(query_parameters=[bigquery.ScalarQueryParameter("begin", "TIMESTAMP", begin), *others])


def _window(row: Any) -> WindowResult:
    start = micros(row["window_start"]) // SECOND
    stats = Stats(**{name: row[name] for name in ("count", "sum", "m2", "min", "max", "summaries")})
    key = Key(row["site_id"], row["channel"], row["unit"], start // HOUR * HOUR)
    return key, (row["window_seconds"], start, stats), row["revision"], Timing(row["timing"])


def _day(row: dict[str, Any]) -> Irrigation:
    names = {column.name for column in table_columns(Irrigation)}
    probes = tuple(Probe(**probe) for probe in row["probes"] or ())
    return Irrigation(**{name: value for name, value in row.items() if name in names} | {"probes": probes})


def _known(client: bigquery.Client) -> dict[tuple[str, str], list[Alert]]:
    """Returns the latest row of each alert."""
    names = ", ".join(column.name for column in table_columns(Alert))
    query = (
        f"select {names} from {_ALERTS} where true "
        "qualify row_number() over (partition by opened_time, alert_id order by revision desc, as_of desc) = 1"
    )
    found: dict[tuple[str, str], list[Alert]] = defaultdict(list)
    for row in client.query_and_wait(query):
        found[row["rule"], row["subject"]].append(Alert(**dict(row)))
    return found
