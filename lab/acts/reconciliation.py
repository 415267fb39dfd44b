"""Reconciles what was attempted and acknowledged in both acts with what the warehouse shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from google.cloud import bigquery

from lab.witness import delivered
from lab.witness.oracle import MessageKey, Verdict, delivered_keys, judge
from lab.world.device import channels

_STEP = 1.0


@dataclass(slots=True)
class Reconciliation:
    """Collects keys and judges them: `reconciliation.add(attempted, acknowledged); reconciliation.verdict()`.

    No reading is older than `since`.
    """

    client: bigquery.Client
    since: datetime
    attempted: set[MessageKey] = field(default_factory=set)
    acknowledged: set[MessageKey] = field(default_factory=set)

    def add(self, attempted: Collection[MessageKey], acknowledged: Collection[MessageKey]) -> None:
        self.attempted.update(attempted)
        self.acknowledged.update(acknowledged)

    @property
    def readings_acknowledged(self) -> int:
        """Counts the acknowledged messages without those that were broken on purpose."""
        return sum(isinstance(key, tuple) for key in self.acknowledged)

    def verdict(self) -> Verdict:
        """Judges by what the warehouse shows now."""
        facts, rejected = delivered.channel_facts(self.client, self.since), delivered.rejected_bodies(self.client, self.since)
        return judge(self.attempted, self.acknowledged, delivered_keys(facts, channels, rejected))

    def wait_for_delivery(self, seconds: float, progress: Callable[[Verdict], None]) -> None:
        """Returns when nothing is missing, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while (verdict := self.verdict()).lost and time.monotonic() < deadline:
            progress(verdict)
            time.sleep(_STEP)
