"""Makes observations of gateways' events. Rows without one that a rule watches cost one look at one column, and none becomes an object."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.alerts.condition import Condition, InStates
from pipeline.alerts.names import Names
from pipeline.alerts.observation import AHEAD, Observation
from pipeline.alerts.source import Input
from pipeline.elements import RowGroup
from schemas.records import Kind
from schemas.registry import Registry
from schemas.rules.event import EventRule

_COLUMNS = ("device_id", "site_id", "gateway_id", "rule", "state", "value", "threshold", "channel")
_AHEAD = AHEAD // timedelta(microseconds=1)


class EventSource:
    """Observes events. One that is dated far ahead of its arrival counts as of its arrival, in its order."""

    RULE: ClassVar[type] = EventRule
    INPUT: ClassVar[Input] = "row_groups"

    def __init__(self, rules: Iterable[EventRule], registry: Registry) -> None:
        self._names = Names(registry)
        self._by_event: dict[str, list[EventRule]] = defaultdict(list)
        for rule in rules:
            self._by_event[rule.event].append(rule)
        self._events = pa.array(sorted(self._by_event), pa.string())

    @staticmethod
    def condition(rule: EventRule) -> Condition:
        return InStates(frozenset(rule.opens))

    @staticmethod
    def is_watched(rule: EventRule, observation: Observation) -> bool:
        return observation.device_id is not None and rule.watches(observation.device_id, observation.site_id)

    def observe(self, row_group: RowGroup, now: int) -> Iterator[Observation]:
        if row_group.kind != Kind.EVENTS:
            return
        watched = pc.is_in(row_group.rows.column("rule"), value_set=self._events)
        if not watched.true_count:
            return
        rows = row_group.rows.filter(watched)
        times = (rows.column(name).cast(pa.int64()).to_pylist() for name in ("event_time", "received_time"))
        for row, at, received in zip(rows.select(_COLUMNS).to_pylist(), *times, strict=True):
            for rule in self._by_event[row["rule"]]:
                if rule.watches(row["device_id"], row["site_id"]):
                    yield self._observation(rule, row, (at, 0) if at <= received + _AHEAD else (received, at - received))

    def _observation(self, rule: EventRule, row: Mapping[str, Any], order: tuple[int, int]) -> Observation:
        device_id, site_id, state = row["device_id"], row["site_id"], row["state"]
        return Observation(
            rule=rule.name,
            subject=device_id,
            at=order[0],
            revision=order[1],
            known_at=order[0],
            state=state,
            value=row["value"],
            threshold=row["threshold"],
            site_id=site_id,
            device_id=device_id,
            gateway_id=row["gateway_id"],
            unit=rule.unit,
            text=f"{self._names.place(site_id, device_id)}: {_change(rule, row)}",
        )


def _change(rule: EventRule, row: Mapping[str, Any]) -> str:
    """Says what became of the state; how a model scored it is for who operates it, and not here."""
    state, channel = row["state"], row["channel"]
    change = rule.words.get(state) or (f"{channel} is {state}" if channel else f"{row['rule']} says {state}")
    if rule.unit:
        return f"{change} ({row['value']:.4g} {rule.unit})"
    return f"{change} ({row['value']:.4g})" if channel else change
