"""What the demo does to the running system, when, and which times it touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from lab.acts.live import Live
from lab.witness.latency import Arrival

OUTAGE_SECONDS = 10.0
DARK_SECONDS = 4.0
"""A killed gateway stays dead for so long."""
_RECOVERY = timedelta(seconds=6)
"""A fault may be felt so long after its end: the longest back-off of the lab's gateways, and a little."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Done `seconds` after the sensors began, or `gap` seconds after the deed before it, whichever is later.

    `fault` names the fault that begins with it; where it is empty, one ends.
    """

    seconds: float
    gap: float
    text: str
    do: Callable[[], None]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Spell:
    """A fault from its begin until it cannot be felt any more."""

    begin: datetime
    end: datetime

    def met(self, arrival: Arrival) -> bool:
        """Whether the batch was on its way during the fault."""
        return arrival.newest <= self.end and arrival.seen >= self.begin


def deeds(live: Live, seconds: float) -> list[Deed]:
    """A kill after a quarter of the time, an outage after half of it."""
    victim = next(iter(live.gateways))
    kill, cut = seconds * 0.25, seconds * 0.5
    return [
        Deed(kill, 0.0, f"kill -9 {victim}", lambda: live.kill(victim), "a gateway was killed"),
        Deed(kill + DARK_SECONDS, DARK_SECONDS, f"{victim} starts again", lambda: live.restart(victim)),
        Deed(cut, 0.0, f"the uplink is cut for {OUTAGE_SECONDS:.0f} s", live.uplink.cut, "the uplink was cut"),
        Deed(cut + OUTAGE_SECONDS, OUTAGE_SECONDS, "the uplink is back", live.uplink.restore),
    ]


def spells(done: Sequence[tuple[datetime, Deed]]) -> list[Spell]:
    """From what was done and when: each begin with the end that follows it."""
    begins = [time for time, deed in done if deed.fault]
    ends = [time for time, deed in done if not deed.fault]
    return [Spell(begin, end + _RECOVERY) for begin, end in zip(begins, ends, strict=True)]
