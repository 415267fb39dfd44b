"""What the rules see: events, site windows and days of irrigation -> observations. Silence is in pipeline.alerts.liveness.

Events without a row that a rule watches cost one look at one column; no row becomes an object unless a rule watches it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.alerts.state_machine import Observation
from pipeline.elements import RowGroup
from pipeline.rollup.stats import HOUR, Key, Stats
from schemas.envelope import micros
from schemas.records import Irrigation, Site
from schemas.registry import Registry
from schemas.rules import Rule

AHEAD = timedelta(minutes=5)
"""An event dated further ahead of its arrival than this comes from a wrong clock. It counts as of its arrival, in its order: it may not
make the rule wait until that time."""

_COLUMNS = ("device_id", "site_id", "rule", "state", "value", "threshold", "channel")
_SECOND = 1_000_000
_AHEAD = AHEAD // timedelta(microseconds=1)


class Watch:
    """The rules, by what they watch."""

    def __init__(self, registry: Registry) -> None:
        self._rules = registry.rules
        self._names = site_names(registry.sites)
        self._by_event = _grouped((rule.event, rule) for rule in self._of("event"))
        self._by_window = _grouped(((rule.channel, rule.window_seconds), rule) for rule in self._of("site_window"))
        self._events = pa.array(sorted(self._by_event), pa.string())

    @property
    def sources(self) -> frozenset[str]:
        """Those that any rule watches."""
        return frozenset(rule.source for rule in self._rules)

    def events(self, row_group: RowGroup) -> Iterator[Observation]:
        """Of placed events; nothing of other kinds."""
        if row_group.kind != "events":
            return
        watched = pc.is_in(row_group.rows.column("rule"), value_set=self._events)
        if not watched.true_count:
            return
        rows = row_group.rows.filter(watched)
        times = (rows.column(name).cast(pa.int64()).to_pylist() for name in ("event_time", "received_time"))
        for row, at, received in zip(rows.select(_COLUMNS).to_pylist(), *times, strict=True):
            for rule in self._by_event[row["rule"]]:
                if rule.watches_device(row["device_id"], row["site_id"]):
                    yield self._of_event(rule, row, (at, 0) if at <= received + _AHEAD else (received, at - received))

    def window(self, key: Key, window: tuple[int, int, Stats], revision: int, now: int) -> Iterator[Observation]:
        """Of a rolled-up window; its event time is its start, and it is not old before it ended. Nothing of one that has not begun."""
        seconds, start, stats = window
        if start * _SECOND > now + _AHEAD:
            return
        for rule in self._by_window.get((key.channel, seconds), ()):
            if rule.watches_site(key.site_id):
                mean = stats.sum / stats.count
                text = f"{self._place(key.site_id)}: mean {key.channel} of {_span(seconds)} is {mean:.4g} {key.unit}"
                made = _of_site(rule, key.site_id, (start * _SECOND, revision), mean, text)
                yield replace(made, known=(start + seconds) * _SECOND)

    def irrigation(self, day: Irrigation, now: int) -> Iterator[Observation]:
        """Of a field's day; its event time is the start of the hour that its moisture is of. Nothing of one that has not begun."""
        start = micros(day.moisture_time) - HOUR * _SECOND
        if start > now + _AHEAD:
            return
        for rule in self._of("irrigation"):
            value = getattr(day, rule.column or "")
            if value is not None and rule.watches_site(day.site_id):
                text = f"{self._place(day.site_id)}: {_advice(day)}"
                yield replace(_of_site(rule, day.site_id, (start, day.revision), value, text), known=micros(day.moisture_time))

    def _of(self, source: str) -> Iterator[Rule]:
        return (rule for rule in self._rules if rule.source == source)

    def _of_event(self, rule: Rule, row: Mapping[str, Any], order: tuple[int, int]) -> Observation:
        device_id, site_id, state = row["device_id"], row["site_id"], row["state"]
        said = f"{row['channel']} is {state}" if row["channel"] else f"{row['rule']} says {state}"
        text = f"{self._place(site_id)}, {device_id}: {said} ({row['value']:.4g})"
        return Observation(rule.name, device_id, *order, order[0], state, row["value"], row["threshold"], site_id, device_id, text)

    def _place(self, site_id: str | None) -> str:
        return self._names.get(site_id or "", site_id or "no site")


def _advice(day: Irrigation) -> str:
    """What a farmer wants to know, whatever the rule watches."""
    days = day.days_until_stress
    if day.need_mm < 0.5:
        return "no water needed today" if days is None else f"no water needed today; stress in {days:.1f} days without rain"
    need = f"{day.need_mm:.0f} mm today" + (f", {day.need_m3:,.0f} m3" if day.need_m3 else "")
    return need if days is None else f"{need}; {'under stress now' if days == 0 else f'{days:.1f} days until stress'}"


def site_names(sites: Iterable[Site]) -> dict[str, str]:
    """The latest name of each site."""
    return {site.site_id: site.name for site in sorted(sites, key=lambda site: site.valid_from)}


def _of_site(rule: Rule, site_id: str, order: tuple[int, int], value: float, text: str) -> Observation:
    limit = rule.above if rule.below is None else rule.below
    return Observation(rule.name, site_id, *order, order[0], None, value, limit, site_id, None, text)


def _span(seconds: int) -> str:
    return "an hour" if seconds == 3600 else "a minute"


def _grouped(pairs: Iterable[tuple[Any, Rule]]) -> dict[Any, list[Rule]]:
    made = defaultdict(list)
    for name, rule in pairs:
        made[name].append(rule)
    return dict(made)
