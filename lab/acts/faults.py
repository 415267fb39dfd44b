"""Plans what the demo does to the running system, when, and which batches that affects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lab.acts.live import LivePath
from lab.witness.latency import Arrival

OUTAGE_SECONDS = 10.0
DOWNTIME_SECONDS = 4.0
"""A killed gateway stays down for so long."""
_RECOVERY = timedelta(seconds=6)
"""A fault may have effects so long after its end: the longest back-off of the lab's gateways, and a little."""


@dataclass(frozen=True, slots=True)
class ScheduledAction:
    """Runs `seconds` after the sensors started, or `gap` seconds after the action before it, whichever is later.

    `fault` names the fault that begins with it; where it is empty, a fault ends.
    """

    seconds: float
    gap: float
    text: str
    run: Callable[[], None]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class PerformedAction:
    """Names an action that was run, and when. `fault` as in ScheduledAction."""

    time: datetime
    text: str
    fault: str


@dataclass(frozen=True, slots=True)
class FaultInterval:
    """Spans a fault from its begin until it has no effect any more."""

    begin: datetime
    end: datetime

    def affects(self, arrival: Arrival) -> bool:
        """Returns whether the batch was on its way during the fault."""
        return arrival.newest_reading <= self.end and arrival.visible >= self.begin


def schedule(path: LivePath, seconds: float) -> list[ScheduledAction]:
    """Plans a kill after a quarter of the time and an outage after half of it."""
    victim = next(iter(path.gateways))
    kill, cut = seconds * 0.25, seconds * 0.5
    return [
        ScheduledAction(kill, 0.0, f"{victim} is stopped dead", lambda: path.kill(victim), "a gateway was stopped dead"),
        ScheduledAction(kill + DOWNTIME_SECONDS, DOWNTIME_SECONDS, f"{victim} starts again", lambda: path.restart(victim)),
        ScheduledAction(cut, 0.0, f"the uplink is cut for {OUTAGE_SECONDS:.0f} s", path.uplink.cut, "the uplink was cut"),
        ScheduledAction(cut + OUTAGE_SECONDS, OUTAGE_SECONDS, "the uplink is back", path.uplink.restore),
    ]


def fault_intervals(actions: Sequence[PerformedAction]) -> list[FaultInterval]:
    """Pairs each action that began a fault with the one after it that ended it."""
    begins = [action.time for action in actions if action.fault]
    ends = [action.time for action in actions if not action.fault]
    return [FaultInterval(begin, end + _RECOVERY) for begin, end in zip(begins, ends, strict=True)]
