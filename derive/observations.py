"""Observes from the facts what rules watch, as a pipeline would that had got them all, in order: for each rule and subject.

Events as their view shows them, windows of sites and hours of devices by the law of the rollups, and of each day of a field the water
balance after each of its hours, so that an alert is open since the hour that led to it. Silence and rejects are judged by the clock of a
live run, and not here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any

import pyarrow as pa
from google.cloud import bigquery

from derive.hours import by_site, hours_between
from pipeline.alerts.observation import Observation
from pipeline.alerts.source import AlertSourceOfPast
from pipeline.alerts.sources import SOURCES, SOURCES_OF_PAST, watched
from pipeline.elements import RowGroup
from pipeline.irrigation.days import HISTORY_DAYS, revise
from pipeline.irrigation.fields import Fields
from pipeline.irrigation.hours import FieldHistory, merge, merged
from pipeline.rollup.stats import HOUR, SECOND, HourOfDevices, Key, Stats, WindowResult
from schemas.envelope import micros
from schemas.records import Irrigation, Kind, Timing
from schemas.registry import Registry
from schemas.rules.event import EventRule
from schemas.rules.site_window import SiteWindowRule
from schemas.warehouse import DATASET

BySubject = dict[tuple[str, str], list[Observation]]
"""Rule and subject -> what was observed, not in order."""

_TIME = pa.timestamp("us", "UTC")
_EVENT_COLUMNS = {
    **dict.fromkeys(("device_id", "site_id", "gateway_id", "rule", "state", "channel"), pa.string()),
    **dict.fromkeys(("value", "threshold"), pa.float64()),
    **dict.fromkeys(("event_time", "received_time"), _TIME),
}


@dataclass(frozen=True)
class Facts:
    """Reads, from `begin` to `end` (exclusive), what sources watch; each input once, when it is asked for."""

    client: bigquery.Client
    registry: Registry
    begin: datetime
    end: datetime

    def elements(self, kind: str) -> Iterable[Any]:
        """Returns the elements of a source's input."""
        return _READ[kind](self)

    @cached_property
    def events(self) -> list[RowGroup]:
        names = sorted({rule.event for rule in self.registry.rules if isinstance(rule, EventRule)})
        query = (
            f"select {', '.join(_EVENT_COLUMNS)} from {DATASET}.events_between(@begin, @end) "
            "where rule in unnest(@wanted) order by event_time, device_id, gateway_id, batch_id, `row`"
        )
        rows = [dict(row) for row in self._rows(query, names)]
        return [RowGroup(Kind.EVENTS, pa.RecordBatch.from_pylist(rows, pa.schema(_EVENT_COLUMNS)))]

    @cached_property
    def windows(self) -> list[WindowResult]:
        """Reads the windows of those lengths and channels that a rule watches."""
        watched_ones = {f"{rule.window_seconds} {rule.channel}" for rule in self.registry.rules if isinstance(rule, SiteWindowRule)}
        query = (
            f"select * from {DATASET}.site_windows_between(@begin, @end) "
            "where concat(cast(window_seconds as string), ' ', channel) in unnest(@wanted)"
        )
        return [_window(row) for row in self._rows(query, sorted(watched_ones))]

    @cached_property
    def balances(self) -> list[Irrigation]:
        """Computes the water balance of each field after each hour."""
        fields = Fields(self.registry)
        sites = {site.site_id for site in self.registry.sites if site.site_id in fields}
        hours = hours_between(self.client, self.begin - timedelta(days=HISTORY_DAYS), self.end, sites) if sites else []
        return [day for site_id, of_site in by_site(hours).items() for day in _balances(fields, site_id, of_site, self.begin)]

    def hours(self, past_hours: int) -> list[HourOfDevices]:
        """Reads the hours of devices, with so many of before, in order."""
        begin, sites = self.begin - timedelta(hours=past_hours), {site.site_id for site in self.registry.sites}
        return sorted(hours_between(self.client, begin, self.end, sites), key=_start)

    def _rows(self, query: str, wanted: list[str]) -> Iterable[Any]:
        parameters = [
            bigquery.ArrayQueryParameter("wanted", "STRING", wanted),
            bigquery.ScalarQueryParameter("begin", "TIMESTAMP", self.begin),
            bigquery.ScalarQueryParameter("end", "TIMESTAMP", self.end),
        ]
        return self.client.query_and_wait(query, job_config=bigquery.QueryJobConfig(query_parameters=parameters))


_READ: dict[str, Callable[[Facts], Iterable[Any]]] = {
    "row_groups": lambda facts: facts.events,
    "windows": lambda facts: facts.windows,
    "irrigation": lambda facts: facts.balances,
}


def observe(facts: Facts, now: datetime) -> BySubject:
    """Returns what every rule observes of its subjects from `begin` on."""
    found: BySubject = defaultdict(list)
    for observation in _observed(facts, micros(now)):
        if observation.at >= micros(facts.begin):
            found[observation.rule, observation.subject].append(observation)
    return found


def sources(registry: Registry) -> list[str]:
    """Names the sources whose alerts follow from the facts, of those that a rule watches."""
    kinds = [*(kind.RULE for kind in SOURCES), *(kind.RULE for kind in SOURCES_OF_PAST)]
    return sorted({rule.source for rule in registry.rules if type(rule) in kinds})


def _observed(facts: Facts, now: int) -> Iterator[Observation]:
    for kind in SOURCES:
        if source := watched(kind, facts.registry):
            for element in facts.elements(kind.INPUT):
                yield from source.observe(element, now)
    for kind_of_past in SOURCES_OF_PAST:
        if source_of_past := watched(kind_of_past, facts.registry):
            yield from _compared(source_of_past, facts.hours(source_of_past.past_hours), now)


def _compared(source: AlertSourceOfPast, hours: Iterable[HourOfDevices], now: int) -> Iterator[Observation]:
    """Judges hours by those before them."""
    memory, pasts = source.memory(source.MEMORIES[0]), dict[str, bytes | None]()
    for hour in hours:
        for key, mean in source.reports(hour):
            outcome = memory.on_report(pasts.get(key), key, mean, now)
            pasts[key] = outcome.state
            yield from (each for each in outcome.found if isinstance(each, Observation))


def _balances(fields: Fields, site_id: str, hours: list[HourOfDevices], begin: datetime) -> Iterator[Irrigation]:
    history = FieldHistory({}, {})
    for start, together in groupby(sorted(hours, key=_start), _start):
        if start < begin.timestamp():
            merge(history.days, merged(together))
        else:
            yield from revise(fields, site_id, history, merged(together), begin)


def _start(hour: HourOfDevices) -> int:
    return hour.key.hour


def _window(row: Any) -> WindowResult:
    start = micros(row["window_start"]) // SECOND
    stats = Stats(**{name: row[name] for name in ("count", "sum", "m2", "min", "max", "summaries")})
    key = Key(row["site_id"], row["channel"], row["unit"], start // HOUR * HOUR)
    return key, (row["window_seconds"], start, stats), row["revision"], Timing(row["timing"])
