"""What the lab wants of a simulated sensor, be it a probe in a field or an accelerometer on a machine."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from lab.world import field, machine
from schemas.registry import Registry


class Device(Protocol):
    """In history it sends `burst` messages at every hour that `every_hours` divides, in real time one at turns that `every_turns` does."""

    @property
    def device_id(self) -> str: ...
    @property
    def gateway_id(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def every_hours(self) -> int: ...
    @property
    def burst(self) -> int: ...
    @property
    def every_turns(self) -> int: ...
    def message(self, time: datetime, seq: int, boot: str, day: float) -> bytes: ...


def devices(registry: Registry) -> tuple[Device, ...]:
    """Everything that the registry knows."""
    return (*field.fields(registry), *machine.machines(registry))


def channels(device_id: str) -> Collection[str]:
    """What the warehouse must show of each of its readings."""
    return machine.CHANNELS if device_id.startswith("machine-") else field.CHANNELS
