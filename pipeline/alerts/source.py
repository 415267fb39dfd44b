"""Defines the seam of a source of alerts: what it does so that rules can watch it.

It knows no engine; pipeline.alerts.transform runs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from pipeline.alerts.condition import Condition
from pipeline.alerts.observation import Observation
from schemas.registry import Registry

Input = Literal["row_groups", "windows", "hours", "irrigation", "rejects"]
"""What can be watched: rows with their sites, results of rollups, what each device measured in an hour, days of irrigation, rows of
rejects."""

RESULTS: frozenset[Input] = frozenset(("windows", "hours", "irrigation"))
"""What is computed from summaries: of what is late of it, the word of the gateway that delivered them is true once it is computed."""


class AlertSource(Protocol):
    """Judges each element alone: `EventSource(rules, registry).observe(row_group, now)`. Times are in microseconds since 1970."""

    RULE: ClassVar[type]
    INPUT: ClassVar[Input]

    def __init__(self, rules: Iterable[Any], registry: Registry) -> None: ...

    @staticmethod
    def condition(rule: Any) -> Condition:
        """Says when an alert of the rule is open."""

    @staticmethod
    def is_watched(rule: Any, observation: Observation) -> bool:
        """Tells whether the rule watches the subject of an observation, as the rule is now."""

    def observe(self, element: Any, now: int) -> Iterable[Observation]:
        """Yields what the rules see in it."""


class Outcome(NamedTuple):
    """Is what follows from a report, or from the time that has passed."""

    state: bytes | None
    """The key's new state, as a pipeline.state.StateFormat packs it; None: forget the key."""
    timer: int | None = None
    """When to call `on_timer`, None if nothing is to be expected. It may be called at other times too."""
    found: Sequence[Observation | tuple[str, Any]] = ()
    """What is observed, and (key, report) for the source's next memory."""


class Memory(Protocol):
    """Remembers something of a key, and judges by it and by the time that passes. `packed` is None where nothing is remembered yet."""

    def on_report(self, packed: bytes | None, key: str, report: Any, now: int) -> Outcome:
        """Says what follows from a report."""

    def on_timer(self, packed: bytes | None, key: str, now: int) -> Outcome:
        """Says what follows from the time that has passed."""


class AlertSourceWithMemory(Protocol):
    """Judges by what it remembers of keys, in one or more steps, and by time; not in batch mode, which knows no time."""

    RULE: ClassVar[type]
    INPUT: ClassVar[Input]
    MEMORIES: ClassVar[tuple[str, ...]]
    """Names its memories. The first takes the reports of elements, each other one what the one before found for it."""

    def __init__(self, rules: Iterable[Any], registry: Registry) -> None: ...

    @staticmethod
    def condition(rule: Any) -> Condition:
        """Says when an alert of the rule is open."""

    @staticmethod
    def is_watched(rule: Any, observation: Observation) -> bool:
        """Tells whether the rule watches the subject of an observation, as the rule is now."""

    def reports(self, element: Any) -> Iterable[tuple[str, Any]]:
        """Yields (key, report for the first memory) of an element."""

    def memory(self, name: str) -> Memory:
        """Returns one of its memories."""


class AlertSourceOfPast(AlertSourceWithMemory, Protocol):
    """Judges hours of devices by hours before them, and knows no clock: what it observes follows from the facts, in any order."""

    @property
    def past_hours(self) -> int:
        """How many hours before an hour it looks at."""
