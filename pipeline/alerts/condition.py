"""Says when an alert is open: how a rule's source judges an observation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from pipeline.alerts.observation import Observation


class Condition(Protocol):
    """Judges observations: `condition.holds(observation, before=state.holds)`."""

    lasts: ClassVar[bool]
    """Whether what was observed goes on until something else is observed, as a state does; a measured value does not."""

    def holds(self, observation: Observation, *, before: bool) -> bool:
        """Tells whether the condition is met by this observation; `before`: whether it was by the last one."""

    def worsens(self, shown: Observation, observation: Observation) -> bool:
        """Tells whether an open alert is worth an update that people are notified of, after what its last row shows."""

    def improves(self, shown: Observation, observation: Observation) -> bool:
        """Tells whether an open alert is better than its last row shows, so that the row no longer tells today's state."""


@dataclass(frozen=True, slots=True)
class InStates:
    """Holds in some states and no other; another of them is an update."""

    states: frozenset[str]
    lasts: ClassVar[bool] = True

    def holds(self, observation: Observation, *, before: bool) -> bool:
        return observation.state in self.states

    def worsens(self, shown: Observation, observation: Observation) -> bool:
        return observation.state != shown.state

    def improves(self, shown: Observation, observation: Observation) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class BeyondLimit:
    """Holds below or above a limit; once it does, only beyond the hysteresis it does not.

    Further by more than the hysteresis is worse, nearer by more than it is better.
    """

    below: float | None
    above: float | None
    hysteresis: float = 0.0
    lasts: ClassVar[bool] = False

    def holds(self, observation: Observation, *, before: bool) -> bool:
        slack = self.hysteresis if before else 0.0
        if observation.value is None:
            return False
        if self.below is not None:
            return observation.value < self.below + slack
        return self.above is not None and observation.value > self.above - slack

    def worsens(self, shown: Observation, observation: Observation) -> bool:
        return self._further(shown, observation) > self.hysteresis

    def improves(self, shown: Observation, observation: Observation) -> bool:
        return self._further(shown, observation) < -self.hysteresis

    def _further(self, shown: Observation, observation: Observation) -> float:
        """Returns how much further beyond the limit the observation is; negative if it is nearer."""
        if shown.value is None or observation.value is None:
            return 0.0
        return shown.value - observation.value if self.below is not None else observation.value - shown.value
