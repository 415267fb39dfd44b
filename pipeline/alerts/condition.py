"""Says when an alert is open: how a rule's source judges an observation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pipeline.alerts.observation import Observation


class Condition(Protocol):
    """Judges observations: `condition.holds(observation, before=state.holds)`."""

    def holds(self, observation: Observation, *, before: bool) -> bool:
        """Tells whether the alert is open by this observation; `before`: whether it was by the last one."""

    def worsens(self, shown: Observation, observation: Observation) -> bool:
        """Tells whether an open alert is worth an update, after what its last row shows."""


@dataclass(frozen=True, slots=True)
class InStates:
    """Holds in some states and no other; another of them is an update."""

    states: frozenset[str]

    def holds(self, observation: Observation, *, before: bool) -> bool:
        return observation.state in self.states

    def worsens(self, shown: Observation, observation: Observation) -> bool:
        return observation.state != shown.state


@dataclass(frozen=True, slots=True)
class BeyondLimit:
    """Holds below or above a limit; once it does, only beyond the hysteresis it does not. Further by more than the hysteresis is worse."""

    below: float | None
    above: float | None
    hysteresis: float = 0.0

    def holds(self, observation: Observation, *, before: bool) -> bool:
        slack = self.hysteresis if before else 0.0
        if observation.value is None:
            return False
        if self.below is not None:
            return observation.value < self.below + slack
        return self.above is not None and observation.value > self.above - slack

    def worsens(self, shown: Observation, observation: Observation) -> bool:
        if shown.value is None or observation.value is None:
            return False
        if self.below is not None:
            return observation.value < shown.value - self.hysteresis
        return self.above is not None and observation.value > shown.value + self.hysteresis
