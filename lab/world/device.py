"""Joins the kinds of simulated devices in one seam: a probe in a field, an accelerometer on a machine."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from lab.world import field, machine
from schemas.registry import Registry


class SimulatedDevice(Protocol):
    """A device makes messages: `device.message(now, seq, boot, day)`.

    In history it sends `burst_size` messages every `interval_hours`, in real time one message every `interval_ticks`.
    """

    @property
    def device_id(self) -> str: ...
    @property
    def gateway_id(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def interval_hours(self) -> int: ...
    @property
    def burst_size(self) -> int: ...
    @property
    def interval_ticks(self) -> int: ...
    def message(self, time: datetime, seq: int, boot: str, day: float) -> bytes: ...


def devices(registry: Registry) -> tuple[SimulatedDevice, ...]:
    """Simulates every device of the registry."""
    return (*field.fields(registry), *machine.machines(registry))


def channels(device_id: str) -> Collection[str]:
    """Names the channels that the warehouse must show of each of its readings."""
    return machine.CHANNELS if device_id.startswith("machine-") else field.CHANNELS
