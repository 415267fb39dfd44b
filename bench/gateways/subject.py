"""Defines the seam between a measurement and a kind of gateway: what a gateway to be measured is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

WINDOW_SECONDS = 10
TOPIC = "sensors/+/readings"


class NotInstalled(Exception):
    """A gateway cannot be had on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Says where a gateway works: its own folder, the broker's port, and the ports of the recorder, for HTTP and for Pub/Sub."""

    folder: Path
    broker: int
    web: int
    pubsub: int


@dataclass(frozen=True, slots=True)
class Launch:
    """Says how a process is started."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """Says what a row of the output shows: so many readings of a device, numbered from `first` to `last`."""

    device: str
    first: int
    last: int
    count: int


class Subject(Protocol):
    """A gateway that subscribes to TOPIC at QoS 1 and puts out windows of WINDOW_SECONDS, a number of readings each."""

    @property
    def name(self) -> str: ...
    def launch(self, place: Place) -> Launch:
        """Writes the configuration into the place's folder, and says how to start it; the same again after a crash."""
        ...

    def spans(self, place: Place) -> list[Span]:
        """Reads what the recorder got, each row once however often it was sent."""
        ...
