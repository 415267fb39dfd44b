"""Brings alerts to what the facts say: adds those that are missing, corrects those that stand otherwise, retracts those that are not so.

Of sources whose observations follow from the facts; silence and rejects are judged by the clock of a live run, and left. What is younger
than an hour is left to the running pipeline, which may know more than the warehouse. Nobody is notified. Idempotent: a second run over the
same facts writes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from google.cloud import bigquery

from derive.corrections import Known, Reach, Subject, corrections
from derive.observations import Facts, observe, sources
from derive.rows import append
from pipeline.alerts.in_force import RulesInForce
from schemas.arrow import table_columns
from schemas.records import TABLES, Alert, AlertChange
from schemas.registry import Registry
from schemas.warehouse import DATASET
from sql.recomputation import Span

SETTLED = timedelta(hours=1)
"""How old values must be: a running pipeline has told of them by then, and its rows are in the warehouse."""
AROUND = timedelta(days=1)
"""How much before the hours that were looked at, and after them, alerts are looked at too."""
BEFORE = timedelta(days=2)
"""How much earlier facts are read, so that an alert that was open then is judged from its beginning."""

_COLUMNS = [column.name for column in table_columns(Alert)]
_NAMES = ", ".join(f"`{name}`" for name in _COLUMNS)
_TABLE = f"{DATASET}.{TABLES[Alert].name}"
_OF_ALERT = "partition by opened_time, alert_id order by revision desc, as_of desc"
_LATEST = f"""
select {_NAMES}, told from (
  select *, logical_or(coalesce(notified, not historical)) over (partition by opened_time, alert_id) as told
  from {_TABLE}
  where source in unnest(@sources)
  qualify row_number() over ({_OF_ALERT}) = 1
)
"""
_BEFORE = f"""
select {_NAMES} from (
  select *, first_value(state) over ({_OF_ALERT}) as last_state
  from {_TABLE}
  where source in unnest(@sources) and opened_time < @begin
)
where event_time < @begin and last_state != '{AlertChange.RETRACTED}'
qualify row_number() over (partition by rule, subject order by opened_time desc, revision desc, as_of desc) = 1
"""

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Time:
    """Is a time in which alerts are looked at."""

    begin: datetime
    end: datetime


def derive(client: bigquery.Client, registry: Registry, spans: Sequence[Span], now: datetime, *, dry_run: bool) -> list[Alert]:
    """Writes the rows that are missing; returns them."""
    missing = [row for time in _times(spans, now) for row in _of_time(client, registry, time, now)] if sources(registry) else []
    if missing and not dry_run:
        append(client, Alert, missing)
    return missing


def _times(spans: Sequence[Span], now: datetime) -> Iterator[_Time]:
    """Joins what was looked at to times, with what is around; far from each other they are looked at alone."""
    joined: _Time | None = None
    for span in sorted(spans, key=_begin):
        begin, end = span.from_time - AROUND, min(span.to_time + AROUND, now)
        if joined and begin > joined.end:
            yield joined
            joined = None
        joined = _Time(joined.begin, max(end, joined.end)) if joined else _Time(begin, end)
    if joined:
        yield joined


def _of_time(client: bigquery.Client, registry: Registry, time: _Time, now: datetime) -> list[Alert]:
    """Returns the rows that are missing of a time. If they leave an alert open, what came later is looked at too: its end may be there."""
    missing = _missing(client, registry, time, now)
    leave_open = {AlertChange.OPENED, AlertChange.UPDATED} & set({row.alert_id: row.state for row in missing}.values())
    return _missing(client, registry, _Time(time.begin, now), now) if leave_open and time.end < now else missing


def _missing(client: bigquery.Client, registry: Registry, time: _Time, now: datetime) -> list[Alert]:
    reach = Reach(time.begin - BEFORE, time.begin, min(time.end, now - SETTLED))
    observed = observe(Facts(client, registry, reach.earliest, time.end), now)
    known, before, rules = _known(client, registry), _before(client, registry, reach.earliest), RulesInForce(registry)
    subjects = (Subject(*key, found, known.get(key, ()), before.get(key)) for key, found in sorted(observed.items()))
    return [row for subject in subjects for row in corrections(rules, subject, reach, now)]


def _known(client: bigquery.Client, registry: Registry) -> dict[_Key, list[Known]]:
    """Returns the latest row of each alert."""
    found: dict[_Key, list[Known]] = defaultdict(list)
    for row in _rows(client, _LATEST, [_sources(registry)]):
        found[row["rule"], row["subject"]].append(Known(_alert(row), row["told"]))
    return found


def _before(client: bigquery.Client, registry: Registry, begin: datetime) -> dict[_Key, Alert]:
    """Returns of each rule and subject the row that its latest alert had then."""
    parameters = [_sources(registry), bigquery.ScalarQueryParameter("begin", "TIMESTAMP", begin)]
    return {(row["rule"], row["subject"]): _alert(row) for row in _rows(client, _BEFORE, parameters)}


def _rows(client: bigquery.Client, query: str, parameters: Sequence[Any]) -> Iterable[Any]:
    return client.query_and_wait(query, job_config=bigquery.QueryJobConfig(query_parameters=list(parameters)))


def _sources(registry: Registry) -> bigquery.ArrayQueryParameter:
    return bigquery.ArrayQueryParameter("sources", "STRING", sources(registry))


def _alert(row: Any) -> Alert:
    return Alert(**{name: row[name] for name in _COLUMNS})


def _begin(span: Span) -> datetime:
    return span.from_time
