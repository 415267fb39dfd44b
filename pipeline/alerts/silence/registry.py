"""Remembers which registry the devices' memories know, and tells each device that it is expected when another is in force.

So a device that was never heard has a memory too: nobody knows its gateway. It is looked at with every heartbeat of any gateway.
"""

from __future__ import annotations

from typing import NamedTuple

from pipeline.alerts.silence.device import Expected
from pipeline.alerts.silence.watch import Watch
from pipeline.alerts.source import Outcome
from pipeline.state import StateFormat

KEY = "/registry"
"""No gateway has this name: a name holds no slash."""

REGISTRY = StateFormat("registry_liveness", 1, str)
"""Holds the fingerprint of the registry and the rules that the devices know."""


class LookAgain(NamedTuple):
    """Says that time has passed."""


class RegistryMemory:
    """Is the memory of the registry, under KEY. It says to devices' memories that they are expected."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def on_report(self, packed: bytes | None, key: str, report: LookAgain, now: int) -> Outcome:
        if REGISTRY.unpack(packed) == self._watch.fingerprint:
            return Outcome(packed)
        placements = self._watch.placements(now)
        expected = [(device_id, Expected(placement.first, placement.site_id)) for device_id, placement in placements]
        return Outcome(REGISTRY.pack(self._watch.fingerprint), None, expected)

    def on_timer(self, packed: bytes | None, key: str, now: int) -> Outcome:
        return Outcome(packed)
