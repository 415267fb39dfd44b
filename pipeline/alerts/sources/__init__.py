"""What the rules of alerts watch, a source a file; its settings are in schemas/rules, in the file of the same name.

A source is made from its rules and the registry, knows no engine, and is registered here by one line.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.alerts.source import Source, SourceWithMemory
from pipeline.alerts.sources.event import EventSource
from pipeline.alerts.sources.irrigation import IrrigationSource
from pipeline.alerts.sources.silence import SilenceSource
from pipeline.alerts.sources.site_window import SiteWindowSource
from pipeline.alerts.state_machine import StateMachine
from schemas.registry import Registry
from schemas.rules import Rule

SOURCES: tuple[type[Source], ...] = (EventSource, SiteWindowSource, IrrigationSource)
SOURCES_WITH_MEMORY: tuple[type[SourceWithMemory], ...] = (SilenceSource,)


def sources(registry: Registry) -> Iterator[Source]:
    """Those that any rule watches."""
    return (source(rules, registry) for source in SOURCES if (rules := _rules_of(source, registry)))


def sources_with_memory(registry: Registry) -> Iterator[SourceWithMemory]:
    """Those that any rule watches."""
    return (source(rules, registry) for source in SOURCES_WITH_MEMORY if (rules := _rules_of(source, registry)))


def state_machines(registry: Registry) -> dict[str, StateMachine]:
    """Name of a rule -> its alerts."""
    return {rule.name: state_machine(rule) for rule in registry.rules}


def state_machine(rule: Rule) -> StateMachine:
    kinds: tuple[type[Source | SourceWithMemory], ...] = (*SOURCES, *SOURCES_WITH_MEMORY)
    source = next(kind for kind in kinds if kind.RULE is type(rule))
    return StateMachine(rule, source.condition(rule))


def _rules_of(source: type[Source | SourceWithMemory], registry: Registry) -> list[Rule]:
    return [rule for rule in registry.rules if type(rule) is source.RULE]
