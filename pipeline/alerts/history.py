"""Finds in late observations the alerts that came and went before anybody could know of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pipeline.alerts.condition import Condition
from pipeline.alerts.observation import Observation

SPANS = 16
"""How many of the last alerts of a rule and subject are remembered by when they opened and ended."""

Span = tuple[int, int]


def closed_runs(condition: Condition, observations: Sequence[Observation], at_least: int) -> Iterator[tuple[Observation, Observation]]:
    """Yields (first that meets the condition, first after it that does not), of those that lasted so long, in microseconds.

    What still holds at the end is none of them: whether it ended then is not in these observations.
    """
    begun: Observation | None = None
    for observation in observations:
        holds = condition.holds(observation, before=begun is not None)
        if holds and begun is None:
            begun = observation
        elif not holds and begun is not None:
            if observation.at - begun.at >= at_least:
                yield begun, observation
            begun = None


def is_free(span: Span, known: Iterable[Span]) -> bool:
    """Tells whether no known alert was open at any time of the span."""
    return all(span[1] <= begun or ended <= span[0] for begun, ended in known)


def with_spans(known: tuple[Span, ...], more: tuple[Span, ...]) -> tuple[Span, ...]:
    return tuple(sorted((*known, *more))[-SPANS:]) if more else known
