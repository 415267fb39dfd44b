"""Defines what reaches a rule and subject: what was observed, that a gateway has delivered everything, that an alert is open already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import msgspec

from schemas.records import Alert

AHEAD = timedelta(minutes=5)
"""What is dated further ahead than this comes from a wrong clock. It may not make a rule wait until that time."""


class Observation(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Is what was observed of a subject.

    `at` (its event time) and `known_at` (when it could be known at the earliest) are in microseconds since 1970. It is part of what is
    remembered of alerts (pipeline.alerts.state): a new field comes last, and with a default.
    """

    rule: str
    subject: str
    at: int
    known_at: int
    revision: int = 0
    """Of results for the same event time the highest counts."""
    state: str | None = None
    """A word that the source's own condition judges; None where the value decides."""
    value: float | None = None
    threshold: float | None = None
    site_id: str | None = None
    device_id: str | None = None
    text: str
    """For a person: `Mill Field, soil-01: soil says stress`."""
    gateway_id: str | None = None
    """Gateway that says when it has delivered everything, so that what it delivered late is known to last. None: nobody says so."""
    unit: str | None = None
    """Of value and threshold."""

    @property
    def key(self) -> str:
        return f"{self.rule}:{self.subject}"

    @property
    def order(self) -> tuple[int, int]:
        return self.at, self.revision


@dataclass(frozen=True, slots=True)
class GatewayWord:
    """Says that a gateway has delivered everything up to a time (microseconds since 1970), to a rule and subject that waits for that."""

    key: str
    complete: int


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """Is an alert that the warehouse has as open: what a pipeline that starts anew does not remember."""

    alert: Alert

    @property
    def key(self) -> str:
        return f"{self.alert.rule}:{self.alert.subject}"
