"""Simulates machines of a mill: each turns on a bearing, and an accelerometer on its housing sends frames of raw samples.

Deterministic: a frame depends on the machine, its number and the day alone. Days are those of the fields' season, so that both use
cases have one timeline; a fault grows slowly at first, then ever faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from edge.frame import Header, encode
from edge.spectrum import time_domain_units
from lab.world.field import topic
from schemas.registry import Registry
from training.vibration import machine as simulation
from training.vibration.bearing import Fault

KIND = "vibration"
GATEWAY = "gateway-mill"
CHANNEL, UNIT = "acceleration", "m/s2"
CHANNELS = tuple(time_domain_units(CHANNEL, UNIT))
_GROWTH = 4.0
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Wear:
    """Describes the wear of a bearing: a fault, and the days between which it grows from nothing to the end of the bearing."""

    fault: Fault
    onset: float
    end: float

    def severity(self, day: float) -> float:
        """Returns 0 while healthy, 1 at the end."""
        share = min(max((day - self.onset) / (self.end - self.onset), 0.0), 1.0)
        return float(np.expm1(_GROWTH * share) / np.expm1(_GROWTH))


_MACHINES: Mapping[str, tuple[int, Wear | None]] = MappingProxyType(
    {
        "machine-fan": (7001, None),
        "machine-pump": (7002, Wear("element", 121.5, 127.5)),
        "machine-roller": (7003, Wear("inner", 50, 124)),
        "machine-elevator": (7004, Wear("outer", 100, 122)),
    }
)
"""Device -> seed of the machine, and the wear of its bearing. History ends on day 121; the pump's fault begins in real time."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Holds a machine, its accelerometer and the accelerometer's gateway. In history it sends a burst of frames every few hours."""

    device_id: str
    gateway_id: str
    machine: simulation.Machine
    wear: Wear | None

    interval_hours: ClassVar[int] = 6
    burst_size: ClassVar[int] = 4
    interval_ticks: ClassVar[int] = 10

    @property
    def topic(self) -> str:
        return topic(self.gateway_id, self.device_id)

    def message(self, time: datetime, seq: int, boot: str, day: float) -> bytes:
        """Encodes the frame that the accelerometer publishes on that day."""
        severity = self.wear.severity(day) if self.wear else 0.0
        samples = self.machine.frame(severity, np.random.default_rng([self.machine.seed, seq]), self.machine.operating_point(day * _HOURS))
        return encode(Header(channel=CHANNEL, rate_hz=simulation.RATE_HZ, time=time.timestamp(), seq=seq, boot=boot), samples)


def machines(registry: Registry) -> tuple[Machine, ...]:
    """Returns the machines of the registry."""
    return tuple(_machine(device.device_id) for device in registry.devices if device.kind == KIND)


def _machine(device_id: str) -> Machine:
    seed, wear = _MACHINES[device_id]
    return Machine(device_id, GATEWAY, simulation.random_machine(seed, wear.fault if wear else None), wear)
