"""Runs one case of a file of cases through the rules of a registry, and compares the rows with those that are expected. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

import pyarrow as pa

from pipeline.alerts import engine_twin
from pipeline.alerts.cases import Case, Expected, Given, span
from pipeline.alerts.in_force import RulesInForce
from pipeline.alerts.names import Names
from pipeline.alerts.observation import Observation
from pipeline.alerts.sources import SOURCES_OF_PAST, watched
from pipeline.alerts.sources.event import EventSource
from pipeline.alerts.sources.site_window import SiteWindowSource
from pipeline.elements import RowGroup
from pipeline.enrich import Sites
from pipeline.rollup.stats import HOUR, DeviceHour, HourOfDevices, Key, Stats, WindowResult
from program.settings import require
from schemas.envelope import micros
from schemas.records import Alert, Kind, Timing
from schemas.registry import Registry
from schemas.rules.irrigation import IrrigationRule

_SECOND = 1_000_000
_DAY = "1d"
_TIME = pa.timestamp("us", "UTC")
_STRINGS = ("device_id", "site_id", "gateway_id", "rule", "state", "channel")


def differences(case: Case, registry: Registry) -> list[str]:
    """Returns the lines of a diff between what is expected (-) and what comes (+); none if they agree. Raises ConfigError."""
    rows = run(case, registry)
    wanted = [_line(_values_expected(each)) for each in case.expected]
    made = [_line(_values_made(case, row, each)) for row, each in zip_longest(rows, case.expected[: len(rows)])]
    return [] if wanted == made else list(difflib.unified_diff(wanted, made, "expected", "comes", lineterm="", n=99))[3:]


def run(case: Case, registry: Registry) -> list[Alert]:
    """Returns the rows that come of what is given. Raises ConfigError if it is of nobody in the registry."""
    sources = _Sources(registry)
    arrivals: list[tuple[int, Any]] = []
    for number, given in enumerate(case.given, 1):
        _check(given, number, registry)
    for arrives, at, given in sorted(((*_times(case, given), given) for given in case.given), key=_arrival):
        if given.delivered_by:
            arrivals.append((arrives, (given.delivered_by, at)))
        else:
            arrivals += [(arrives, each) for each in sources.observed(given, at, arrives)]
    last = max((at for at, _ in arrivals), default=micros(case.start))
    return engine_twin.run(RulesInForce(registry), arrivals, last + span(case.ends or _DAY) // timedelta(microseconds=1))


def _times(case: Case, given: Given) -> tuple[int, int]:
    return micros(case.start + span(given.arrives or given.at)), micros(case.start + span(given.at))


def _arrival(timed: tuple[int, int, Given]) -> int:
    return timed[0]


def _check(given: Given, number: int, registry: Registry) -> None:
    devices, sites = {device.device_id for device in registry.devices}, {site.site_id for site in registry.sites}
    require(given.device is None or given.device in devices, f"given[{number}].device: {given.device!r} is not in the registry")
    require(given.site is None or given.site in sites, f"given[{number}].site: {given.site!r} is not in the registry")


class _Sources:
    """Observes what is given, by the sources that the rules watch; those that remember a device's past do."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._of_past = [source for kind in SOURCES_OF_PAST if (source := watched(kind, registry))]
        self._pasts: dict[tuple[int, str], bytes | None] = {}

    def observed(self, given: Given, at: int, arrives: int) -> Iterator[Observation]:
        if given.event:
            events = watched(EventSource, self._registry)
            yield from events.observe(_event(given, at, arrives, self._registry), arrives) if events else ()
        elif given.channel and given.device:
            yield from self._compared(given, at, arrives)
        elif given.channel:
            windows = watched(SiteWindowSource, self._registry)
            yield from windows.observe(_window(given, at), arrives) if windows else ()
        else:
            yield from _of_column(given, at, self._registry)

    def _compared(self, given: Given, at: int, arrives: int) -> Iterator[Observation]:
        hour = _hour(given, at, self._registry)
        for number, source in enumerate(self._of_past):
            for key, mean in source.reports(hour):
                outcome = source.memory("past").on_report(self._pasts.get((number, key)), key, mean, arrives)
                self._pasts[number, key] = outcome.state
                yield from (each for each in outcome.found if isinstance(each, Observation))


def _event(given: Given, at: int, arrives: int, registry: Registry) -> RowGroup:
    site_id = _site(given, at, registry)
    texts = dict(zip(_STRINGS, (given.device, site_id, given.gateway, given.event, given.state, None), strict=True))
    columns = {name: pa.array([text], pa.string()) for name, text in texts.items()}
    columns |= {"value": pa.array([given.value or 0.0]), "threshold": pa.array([None], pa.float64())}
    columns |= {"event_time": pa.array([at], _TIME), "received_time": pa.array([arrives], _TIME)}
    return RowGroup(Kind.EVENTS, pa.RecordBatch.from_pydict(columns))


def _window(given: Given, at: int) -> WindowResult:
    start, value = at // _SECOND // given.window_seconds * given.window_seconds, given.value or 0.0
    stats = Stats(count=1, sum=value, m2=0.0, min=value, max=value, summaries=1)
    key = Key(str(given.site), str(given.channel), given.unit, start // HOUR * HOUR)
    return key, (given.window_seconds, start, stats), 0, Timing.ON_TIME


def _hour(given: Given, at: int, registry: Registry) -> HourOfDevices:
    start, value = at // _SECOND // HOUR * HOUR, given.value or 0.0
    device = DeviceHour(device_id=str(given.device), count=1, mean=value, min=value, max=value)
    return HourOfDevices(Key(_site(given, at, registry) or "", str(given.channel), given.unit, start), 0, (device,))


def _site(given: Given, at: int, registry: Registry) -> str | None:
    [site_id] = Sites(registry).of(pa.array([given.device]), pa.array([at], _TIME)).to_pylist()
    return None if site_id is None else str(site_id)


def _of_column(given: Given, at: int, registry: Registry) -> Iterator[Observation]:
    for rule in registry.rules:
        if isinstance(rule, IrrigationRule) and rule.column == given.column and rule.watches(str(given.site)):
            text = f"{Names(registry).site(given.site)}: {given.column} is {given.value:.4g}"
            yield Observation(
                rule=rule.name,
                subject=str(given.site),
                at=at,
                known_at=at,
                value=given.value,
                threshold=rule.limit,
                site_id=given.site,
                text=text,
            )


def _values_expected(expected: Expected) -> dict[str, object]:
    return {name: value for name in expected.__struct_fields__ if (value := getattr(expected, name)) is not None}


def _values_made(case: Case, row: Alert, expected: Expected | None) -> dict[str, object]:
    """Returns what is expected of a row as it is, and all of one that is not expected."""
    values: dict[str, object] = {
        "rule": row.rule,
        "subject": row.subject,
        "state": row.state,
        "at": _offset(row.event_time, case.start, expected.at if expected else None),
        "made": _offset(row.as_of, case.start, expected.made if expected else None),
        "notified": row.notified,
        "value": row.value,
        "message": expected.message if expected and expected.message and expected.message in row.message else row.message,
    }
    return values if expected is None else {name: values[name] for name in _values_expected(expected)}


def _line(values: dict[str, object]) -> str:
    return ", ".join(f"{name} {_plain(value)}" for name, value in values.items() if value is not None)


def _offset(time: datetime, start: datetime, like: str | None) -> str:
    """Writes a time as it is expected if it is that, else in minutes or seconds."""
    seconds = (time - start).total_seconds()
    if like and span(like).total_seconds() == seconds:
        return like
    return f"{seconds:g}s" if seconds % 60 else f"{seconds / 60:g}m"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
