"""Defines what a receiver gets: a notice of one notification, or of several of one rule and site that came close together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from schemas.records import Alert, AlertChange, Answer, Severity

_WEIGHTS = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Notice:
    """Says what happened to alerts of one rule and site, the latest that is known of each: `Notice.of(alerts).first`."""

    alerts: tuple[Alert, ...]
    """The one that a person should see first comes first."""
    links: Mapping[Answer, str] = field(default_factory=dict)
    """Where a person says what became of the first; they are no part of what a notice is known by."""

    @classmethod
    def of(cls, alerts: Iterable[Alert]) -> Notice:
        """Puts alerts that are open before those that are over, then the more severe, then the older."""
        return cls(tuple(sorted(alerts, key=_importance)))

    @property
    def first(self) -> Alert:
        return self.alerts[0]

    @property
    def more(self) -> tuple[Alert, ...]:
        return self.alerts[1:]

    @property
    def open_alerts(self) -> int:
        """Counts those that are open."""
        return sum(alert.state != AlertChange.RESOLVED for alert in self.alerts)

    @property
    def key(self) -> str:
        """Returns the same text whenever the same notice is sent again, and another one for every other notice."""
        name = f"{self.first.alert_id}/{self.first.revision}"
        if not self.more:
            return name
        content = "\n".join(f"{alert.alert_id}/{alert.revision}" for alert in self.alerts)
        return f"{name}/{len(self.more)}-more-{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def _importance(alert: Alert) -> tuple[bool, int, datetime, str]:
    return alert.state == AlertChange.RESOLVED, -_WEIGHTS.index(Severity(alert.severity)), alert.opened_time, alert.alert_id
