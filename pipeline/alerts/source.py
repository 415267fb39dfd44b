"""Defines the seam of a source of alerts: what it does so that rules can watch it.

It knows no engine; pipeline.alerts.transform runs it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal, Protocol

from pipeline.alerts.condition import Condition
from pipeline.alerts.observation import Observation
from schemas.registry import Registry

Input = Literal["row_groups", "windows", "irrigation"]
"""What can be watched: rows with their sites, results of rollups, days of irrigation."""


class AlertSource(Protocol):
    """Judges each element alone: `EventSource(rules, registry).observe(row_group, now)`. Times are in microseconds since 1970."""

    RULE: ClassVar[type]
    INPUT: ClassVar[Input]

    def __init__(self, rules: Iterable[Any], registry: Registry) -> None: ...

    @staticmethod
    def condition(rule: Any) -> Condition:
        """Says when an alert of the rule is open."""

    def observe(self, element: Any, now: int) -> Iterable[Observation]:
        """Yields what the rules see in it."""


class AlertSourceWithMemory(Protocol):
    """Judges by what it remembers of a key, and by time that passes; not in batch mode, which knows no time."""

    RULE: ClassVar[type]
    INPUT: ClassVar[Input]

    def __init__(self, rules: Iterable[Any], registry: Registry) -> None: ...

    @staticmethod
    def condition(rule: Any) -> Condition:
        """Says when an alert of the rule is open."""

    def reports(self, element: Any) -> Iterable[tuple[str, Any]]:
        """Yields (key, report for its memory) of an element."""

    def on_report(self, memory: Any, report: Any, now: int) -> tuple[Any, list[Observation]]:
        """Returns the new memory of a key (None: it has none yet), and what follows."""

    def next_timer(self, memory: Any, key: str) -> int | None:
        """Returns when to call `on_timer`; None if nothing is to be expected."""

    def on_timer(self, memory: Any, key: str, now: int) -> tuple[Any, list[Observation]]:
        """Returns the new memory, and what follows from the time that has passed."""
