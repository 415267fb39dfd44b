"""Sends what waits for one receiver: tries again, gives up, keeps to the limit of an hour, and records what came of it.

A receiver that fails waits with full jitter for each notification by itself, and holds up no other receiver. An older revision is not sent
after a newer one. What remains: a kill between a receiver's answer and the record right after it can repeat that one notification.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from notify.clock import Clock
from notify.config import Config
from notify.notification import Notification
from notify.receivers.receiver import Receiver, ReceiverError
from notify.sent_log import Outcome, SentLog
from program import logs

HOUR = timedelta(hours=1)
IDLE_SECONDS = 60.0

_log = logs.get(__name__)


@dataclass(slots=True)
class _Attempt:
    """Is a notification in one receiver; times of a monotonic clock, in seconds."""

    notification: Notification
    first: float
    due: float
    failures: int = 0
    outcome: Outcome | None = None
    """What came of it, if only the record of it is missing."""


class ReceiverWorker:
    """Runs one receiver: `worker.add(notification)` by any thread, `seconds = worker.run_due()` by its own."""

    def __init__(self, receiver: Receiver, sent_log: SentLog, config: Config, clock: Clock, rng: Random) -> None:
        self._receiver, self._sent_log, self._clock, self._rng = receiver, sent_log, clock, rng
        self._backoff, self._max_per_hour = config.retry, config.notify.max_per_hour
        self._lock, self._attempts = threading.Lock(), list[_Attempt]()
        self.woken = threading.Event()

    @property
    def name(self) -> str:
        return self._receiver.name

    def add(self, notification: Notification) -> None:
        now = self._clock.monotonic()
        with self._lock:
            self._attempts.append(_Attempt(notification, now, now))
        self.woken.set()

    def run_due(self) -> float:
        """Makes the attempt that is due, if any; returns in how many seconds the next one is."""
        if attempt := self._next():
            self._make(attempt)
        with self._lock:
            next_due = min((waiting.due for waiting in self._attempts), default=self._clock.monotonic() + IDLE_SECONDS)
        return max(next_due - self._clock.monotonic(), 0.0)

    def _next(self) -> _Attempt | None:
        """Returns the attempt that is due for longest; of an alert that of the latest revision."""
        with self._lock:
            due = [attempt for attempt in self._attempts if attempt.due <= self._clock.monotonic()]
        return min(due, key=_urgency, default=None)

    def _make(self, attempt: _Attempt) -> None:
        alert = attempt.notification.alert
        if attempt.outcome:
            self._settle(attempt, attempt.outcome)
        elif self._sent_log.is_settled(alert, self.name):
            _log.debug("%s revision %d is overtaken by a later one in %s", alert.alert_id, alert.revision, self.name)
            self._remove(attempt)
        elif (room := self._room(attempt)) <= 0:
            _log.warning("%s revision %d is not sent to %s: it is over the limit of an hour", alert.alert_id, alert.revision, self.name)
            self._settle(attempt, Outcome.RATE_LIMITED)
        else:
            self._send(attempt, self._limit_remark() if room == 1 else "")

    def _room(self, attempt: _Attempt) -> int:
        """Counts how many notifications of the same rule and site may still be sent in this hour."""
        return self._max_per_hour - self._sent_log.count(attempt.notification.alert, self.name, self._clock.now() - HOUR)

    def _send(self, attempt: _Attempt, remark: str) -> None:
        try:
            self._receiver.send(attempt.notification.alert, remark)
        except ReceiverError as error:
            self._back_off(attempt, error)
        else:
            self._settle(attempt, Outcome.SENT)

    def _limit_remark(self) -> str:
        return f"{self._max_per_hour} notifications of this rule and site in an hour: further ones are not sent, look at alerts_open"

    def _back_off(self, attempt: _Attempt, error: ReceiverError) -> None:
        now, alert = self._clock.monotonic(), attempt.notification.alert
        attempt.failures += 1
        attempt.due = now + self._backoff.delay(attempt.failures, self._rng)
        _log.warning("%s; %s revision %d, attempt %d", error, alert.alert_id, alert.revision, attempt.failures)
        if self._backoff.gives_up(elapsed := attempt.due - attempt.first):
            _log.error("GIVEN UP after %.0f s: %s was never sent to %s: %s", elapsed, alert.alert_id, self.name, alert.message)
            self._settle(attempt, Outcome.GAVE_UP)

    def _settle(self, attempt: _Attempt, outcome: Outcome) -> None:
        attempt.outcome = outcome
        # If the disk fails, the record is tried again, not the receiver.
        attempt.due = self._clock.monotonic() + self._backoff.initial_interval
        self._sent_log.record(attempt.notification.alert, self.name, outcome, self._clock.now())
        self._remove(attempt)

    def _remove(self, attempt: _Attempt) -> None:
        with self._lock:
            self._attempts.remove(attempt)
        attempt.notification.on_done(attempt.notification, self.name)


def _urgency(attempt: _Attempt) -> tuple[float, str, int]:
    alert = attempt.notification.alert
    return attempt.due, alert.alert_id, -alert.revision
