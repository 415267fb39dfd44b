"""The oracle's books over both acts: what was attempted and acknowledged, held against what the warehouse shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from google.cloud import bigquery

from lab.witness import delivered
from lab.witness.oracle import Name, Verdict, delivered_names, judge
from lab.world.device import channels

_STEP = 1.0


@dataclass(slots=True)
class Reconciliation:
    """`since`: no reading is older."""

    client: bigquery.Client
    since: datetime
    attempted: set[Name] = field(default_factory=set)
    acknowledged: set[Name] = field(default_factory=set)

    def add(self, attempted: Collection[Name], acknowledged: Collection[Name]) -> None:
        self.attempted.update(attempted)
        self.acknowledged.update(acknowledged)

    @property
    def readings_acknowledged(self) -> int:
        """Without the messages that were broken on purpose."""
        return sum(isinstance(name, tuple) for name in self.acknowledged)

    def verdict(self) -> Verdict:
        """As the warehouse is now."""
        shown = delivered.shown(self.client, self.since)
        return judge(self.attempted, self.acknowledged, delivered_names(shown, channels, delivered.set_aside(self.client, self.since)))

    def await_everything(self, seconds: float, progress: Callable[[Verdict], None]) -> None:
        """Returns when nothing is missing, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while (verdict := self.verdict()).lost and time.monotonic() < deadline:
            progress(verdict)
            time.sleep(_STEP)
