"""Observes that much of a gateway is set aside, by a count of its rejects in the time that a rule names.

It counts what is set aside now: what a gateway set aside longer ago, and delivers after an outage, is history. A retried bundle may count
twice. What the warehouse refuses is not in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import ClassVar, NamedTuple

import pyarrow as pa

from pipeline.alerts.condition import Condition, InStates
from pipeline.alerts.observation import Observation
from pipeline.alerts.source import Input, Memory, Outcome
from pipeline.elements import TableRows
from pipeline.state import StateFormat
from program.names import gateway_called
from schemas.registry import Registry
from schemas.remedies import remedy
from schemas.rules.rejects import RejectsRule

NOBODY = "unknown"
"""The subject of messages that name no gateway."""

PARTS = 10
"""A window is counted in so many parts, and slides by one."""

_SECOND = 1_000_000


class Flow(StrEnum):
    USUAL = "usual"
    SURGE = "surge"


class Counted(NamedTuple):
    """Is what is remembered of a gateway and rule: rejects by the second in which their part of the window starts."""

    counts: dict[int, int]
    surges: bool = False
    reason: str = ""
    """The most frequent reason of the last report."""


COUNTED = StateFormat("counted_rejects", 1, Counted)

Report = tuple[dict[int, int], str]
"""Rejects by part of the window, and their most frequent reason."""


class RejectsSource:
    """Counts rejects of each gateway and rule."""

    RULE: ClassVar[type] = RejectsRule
    INPUT: ClassVar[Input] = "rejects"
    MEMORIES: ClassVar[tuple[str, ...]] = ("counts",)

    def __init__(self, rules: Iterable[RejectsRule], registry: Registry) -> None:
        self._rules = {rule.name: rule for rule in rules}

    @staticmethod
    def condition(rule: RejectsRule) -> Condition:
        return InStates(frozenset((Flow.SURGE,)))

    @staticmethod
    def is_watched(rule: RejectsRule, observation: Observation) -> bool:
        return rule.watches(observation.subject)

    def reports(self, rejects: TableRows) -> Iterator[tuple[str, Report]]:
        for gateway_id, found in _by_gateway(rejects.rows):
            for rule in self._rules.values():
                counted = [(at, reason) for at, reason in found if rule.counts(reason)]
                if counted and rule.watches(gateway_id):
                    yield f"{rule.name}:{gateway_id}", _report(rule, counted)

    def memory(self, name: str) -> Memory:
        return _Counts(self._rules)


class _Counts:
    """Remembers the counts of one rule and gateway, and says when they become too many, and usual again."""

    def __init__(self, rules: dict[str, RejectsRule]) -> None:
        self._rules = rules

    def on_report(self, packed: bytes | None, key: str, report: Report, now: int) -> Outcome:
        before = COUNTED.unpack(packed) or Counted({})
        counts, reason = report
        return self._outcome(before._replace(counts=dict(Counter(before.counts) + Counter(counts)), reason=reason), key, now)

    def on_timer(self, packed: bytes | None, key: str, now: int) -> Outcome:
        return self._outcome(COUNTED.unpack(packed) or Counted({}), key, now)

    def _outcome(self, before: Counted, key: str, now: int) -> Outcome:
        name, _, gateway_id = key.partition(":")
        rule = self._rules.get(name)
        if rule is None:
            return Outcome(None)
        counts = {start: count for start, count in before.counts.items() if start + rule.window_seconds > now // _SECOND}
        count = sum(counts.values())
        after = Counted(counts, count > (rule.above // 2 if before.surges else rule.above), before.reason)
        found = [_observation(rule, gateway_id, after, now)] if after.surges != before.surges else []
        if not counts:
            return Outcome(None, found=found)
        return Outcome(COUNTED.pack(after), (min(counts) + rule.window_seconds) * _SECOND, found)


def _observation(rule: RejectsRule, gateway_id: str, counted: Counted, now: int) -> Observation:
    count, minutes = sum(counted.counts.values()), f"{rule.window_seconds / 60:.3g} min"
    cure = remedy(counted.reason)
    ending = f"most of them {counted.reason}{f': {cure}' if cure else ''}" if counted.surges else "as usual again"
    return Observation(
        rule=rule.name,
        subject=gateway_id,
        at=now,
        known_at=now,
        state=Flow.SURGE if counted.surges else Flow.USUAL,
        value=count,
        threshold=rule.above,
        text=f"{gateway_called(gateway_id)}: {count} rejects in {minutes}, {ending}",
    )


def _part(rule: RejectsRule) -> int:
    return rule.window_seconds // PARTS


def _report(rule: RejectsRule, counted: Sequence[tuple[int, str]]) -> Report:
    part, reasons = _part(rule), Counter(reason for _, reason in counted)
    return dict(Counter(at - at % part for at, _ in counted)), reasons.most_common(1)[0][0]


def _by_gateway(rows: pa.RecordBatch) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Yields gateway, and of each of its rejects the second at which it was made and the reason."""
    gateways, reasons = (rows.column(name).to_pylist() for name in ("gateway_id", "reason"))
    seconds = [at // _SECOND for at in rows.column("timestamp").cast(pa.int64()).to_pylist()]
    for gateway_id in sorted(set(gateways), key=str):
        mine = [number for number, name in enumerate(gateways) if name == gateway_id]
        yield gateway_id or NOBODY, [(seconds[number], reasons[number]) for number in mine]
