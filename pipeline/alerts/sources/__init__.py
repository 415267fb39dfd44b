"""Lists what the rules of alerts watch, a source a file; its settings are in schemas/rules, in the file of the same name.

A source is made from its rules and the registry, knows no engine, and is registered here by one line.
"""

from __future__ import annotations

from typing import TypeVar

from pipeline.alerts.observation import Observation
from pipeline.alerts.source import AlertSource, AlertSourceOfPast, AlertSourceWithMemory
from pipeline.alerts.sources.certificate import CertificateSource
from pipeline.alerts.sources.deviation import DeviationSource
from pipeline.alerts.sources.event import EventSource
from pipeline.alerts.sources.irrigation import IrrigationSource
from pipeline.alerts.sources.probe import ProbeSource
from pipeline.alerts.sources.rate import RateSource
from pipeline.alerts.sources.rejects import RejectsSource
from pipeline.alerts.sources.silence import SilenceSource
from pipeline.alerts.sources.site_window import SiteWindowSource
from pipeline.alerts.state_machine import StateMachine
from schemas.registry import Registry
from schemas.rules import Rule

SOURCES: tuple[type[AlertSource], ...] = (EventSource, SiteWindowSource, IrrigationSource, ProbeSource, CertificateSource)
SOURCES_OF_PAST: tuple[type[AlertSourceOfPast], ...] = (DeviationSource, RateSource)
SOURCES_WITH_MEMORY: tuple[type[AlertSourceWithMemory], ...] = (SilenceSource, *SOURCES_OF_PAST, RejectsSource)


_Source = TypeVar("_Source", AlertSource, AlertSourceOfPast, AlertSourceWithMemory)


def watched(source: type[_Source], registry: Registry) -> _Source | None:
    """Returns the source with the rules that watch it; None if none does."""
    rules = [rule for rule in registry.rules if type(rule) is source.RULE]
    return source(rules, registry) if rules else None


def state_machines(registry: Registry) -> dict[str, StateMachine]:
    """Returns a state machine for the name of each rule."""
    return {rule.name: state_machine(rule) for rule in registry.rules}


def state_machine(rule: Rule) -> StateMachine:
    return StateMachine(rule, _source(rule).condition(rule))


def is_watched(rule: Rule, observation: Observation) -> bool:
    """Tells whether the rule would observe that subject again."""
    return _source(rule).is_watched(rule, observation)


def _source(rule: Rule) -> type[AlertSource | AlertSourceWithMemory]:
    kinds: tuple[type[AlertSource | AlertSourceWithMemory], ...] = (*SOURCES, *SOURCES_WITH_MEMORY)
    return next(kind for kind in kinds if kind.RULE is type(rule))
