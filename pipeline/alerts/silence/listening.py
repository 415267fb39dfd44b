"""Knows since when a gateway hears without interruption, and how far its clock is off. What it could not hear, nobody missed.

An interruption is a start of the process, a lost broker, a sleep or a clock that jumped: the gateway says so itself in `listening_since`,
and of an older one `started_time` and `broker_state` say it. The latest of them all counts, so their order of arrival does not matter.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from pipeline.alerts.gateway_report import GatewayReport, Heartbeat
from pipeline.alerts.silence.watch import LAG

STEADY = timedelta(minutes=5) // timedelta(microseconds=1)
"""After so long of the same delay, the delay is an error of the gateway's clock."""


class Listening(msgspec.Struct, array_like=True):
    """Remembers what heartbeats showed. `since` and `deaf_since` are in true time, the others as the gateway's own clock has them."""

    epoch: int = -1
    seq: int = 0
    """Of the newest heartbeat."""
    heartbeat: int = 0
    started: int = 0
    dropped: int = 0
    lag: int | None = None
    """How long the last heartbeat that came at once took from the gateway's clock to ours: more than LAG is an error of its clock."""
    since: int = 0
    deaf_since: int = 0
    """When the broker was first seen offline, 0 while it is online."""
    late_lag: int | None = None
    """What the first of the newest heartbeats took that came late one after the other, None if the last came at once."""
    late_from: int = 0
    """When that one came."""

    def true_time(self, at: int) -> int:
        """Corrects a time of the gateway's clock, if that is wrong by more than a delivery takes."""
        return at if self.lag is None or abs(self.lag) <= LAG else at + self.lag

    def hear(self, report: GatewayReport, heartbeat: Heartbeat) -> bool:
        """Takes a heartbeat, in any order. Returns whether it is the newest and came at once: only such a one judges."""
        lag = report.received - heartbeat.time
        newest = report.seq > self.seq if report.epoch == self.epoch else self._is_at_once(lag)
        at_once = newest and (self._is_at_once(lag) or self._went_back(report, heartbeat) or self._stays_late(lag, report.received))
        jumped = at_once and self.lag is not None and abs(lag - self.lag) > LAG
        if at_once:
            self.lag, self.late_lag = lag, None
        at = min(self.true_time(heartbeat.time), report.received)
        self.since = max(self.since, at if jumped else self._hears_since(report, heartbeat, at))
        if newest:
            self._note(report, heartbeat, at)
        elif heartbeat.broker_online and self.deaf_since:
            self.deaf_since = max(self.deaf_since, at)
        return at_once

    def interrupted(self, at: int) -> None:
        """Lets everybody's silence count from then at the earliest."""
        self.since = max(self.since, at)

    def _is_at_once(self, lag: int) -> bool:
        return self.lag is None or lag <= self.lag + LAG

    def _went_back(self, report: GatewayReport, heartbeat: Heartbeat) -> bool:
        """Tells whether the clock went back: by its number the heartbeat is newer, by its clock it is older."""
        return report.epoch == self.epoch and heartbeat.time < self.heartbeat

    def _stays_late(self, lag: int, received: int) -> bool:
        """Tells whether heartbeats came late by the same time for a while: its clock went back, unseen. In a backlog they come faster."""
        if self.late_lag is None or abs(lag - self.late_lag) > LAG:
            self.late_lag, self.late_from = lag, received
        return received - self.late_from >= STEADY

    def _hears_since(self, report: GatewayReport, heartbeat: Heartbeat, at: int) -> int:
        """Returns from when on, at the latest, it has heard all the while; `at` for a heartbeat that says that something was lost."""
        lost = report.epoch == self.epoch and heartbeat.dropped > self.dropped
        if not heartbeat.broker_online or lost:
            return at
        if heartbeat.listening_since is not None:
            return min(self.true_time(heartbeat.listening_since), at)
        if heartbeat.started == self.started:
            return 0
        started = self.true_time(heartbeat.started)
        # A process that began before what its predecessor said began with a wrong clock, as one does without a battery.
        return started if self.true_time(self.heartbeat) < started <= at else at

    def _note(self, report: GatewayReport, heartbeat: Heartbeat, at: int) -> None:
        self.epoch, self.seq = report.epoch, report.seq
        self.heartbeat, self.started, self.dropped = heartbeat.time, heartbeat.started, heartbeat.dropped
        self.deaf_since = 0 if heartbeat.broker_online else self.deaf_since or at
