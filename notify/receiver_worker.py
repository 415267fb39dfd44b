"""Sends what is for one receiver: tries again, gives up, gathers what comes too fast into one notice, and records what came of it.

A receiver that fails waits with full jitter for each notice by itself, and holds up no other receiver. An older revision is not sent
after a newer one. What is gathered lies in the log of what was sent, so that its messages are acknowledged and a kill loses none of it.
What remains: a kill between a receiver's answer and the record right after it can repeat that one notice, under the same key.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from notify.clock import Clock
from notify.config import Config
from notify.exposition import ReceiverCounts
from notify.notice import Notice
from notify.notification import Notification
from notify.pace import HOUR, Pace
from notify.receivers.receiver import Receiver, ReceiverError
from notify.sent_log import Group, Outcome, SentLog
from program import logs

IDLE_SECONDS = 60.0

_log = logs.get(__name__)


@dataclass(slots=True)
class _Attempt:
    """Is a notice on its way to the receiver; times of a monotonic clock, in seconds."""

    group: Group
    first: float
    due: float
    notification: Notification | None = None
    """The one that it is of; None for what is gathered of the group."""
    notice: Notice | None = None
    """What is sent; None until something gathered is due."""
    failures: int = 0
    outcome: Outcome | None = None
    """What came of it, if only the record of it is missing."""


class ReceiverWorker:
    """Runs one receiver: `worker.add(notification)` by any thread, `seconds = worker.run_due()` by its own."""

    def __init__(self, receiver: Receiver, sent_log: SentLog, config: Config, clock: Clock, rng: Random) -> None:
        self._receiver, self._sent_log, self._clock, self._rng = receiver, sent_log, clock, rng
        self._backoff = config.retry
        self._pace = Pace(timedelta(seconds=config.notify.gather_seconds), config.notify.max_per_hour)
        self._lock, self._attempts = threading.Lock(), list[_Attempt]()
        self._gathered: dict[Group, _Attempt] = {}
        self.woken = threading.Event()
        self._counts = ReceiverCounts(receiver.name)
        for group in sent_log.waiting_groups(receiver.name):
            self._gather(group)

    @property
    def name(self) -> str:
        return self._receiver.name

    def counts(self) -> ReceiverCounts:
        """Returns what was sent so far, and what waits."""
        with self._lock:
            return replace(self._counts, waiting=len(self._attempts))

    def add(self, notification: Notification) -> None:
        now = self._clock.monotonic()
        alert = notification.alert
        with self._lock:
            self._attempts.append(_Attempt(Group.of(alert), now, now, notification, Notice((alert,))))
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
        if attempt.outcome and attempt.notice:
            self._settle(attempt, attempt.notice, attempt.outcome)
        elif attempt.notification:
            self._make_single(attempt, attempt.notification)
        elif (seconds := self._seconds_to_wait(attempt.group)) > 0:
            attempt.due = self._clock.monotonic() + seconds  # the clock was set, or another notice of the group went meanwhile
        else:
            attempt.notice = attempt.notice or Notice.of(self._sent_log.take_waiting(attempt.group, self.name))
            self._send(attempt, attempt.notice)

    def _make_single(self, attempt: _Attempt, notification: Notification) -> None:
        alert = notification.alert
        if self._sent_log.is_settled(alert, self.name):
            _log.debug("%s revision %d is overtaken by a later one in %s", alert.alert_id, alert.revision, self.name)
            self._remove(attempt)
        elif attempt.group in self._gathered or self._seconds_to_wait(attempt.group) > 0:
            self._sent_log.wait(alert, self.name, self._clock.now())
            self._gather(attempt.group)
            self._remove(attempt)
        else:
            self._send(attempt, Notice((alert,)))

    def _gather(self, group: Group) -> None:
        """Sees that what waits of the group is sent as soon as its pace allows."""
        if group in self._gathered:
            return
        due = self._clock.monotonic() + (seconds := self._seconds_to_wait(group))
        _log.info("rule %s, site %s: what comes in the next %.0f s is one notice to %s", group.rule, group.site or "-", seconds, self.name)
        attempt = self._gathered[group] = _Attempt(group, due, due)
        with self._lock:
            self._attempts.append(attempt)

    def _seconds_to_wait(self, group: Group) -> float:
        now = self._clock.now()
        return (self._pace.next_time(self._sent_log.sent_times(group, self.name, now - HOUR), now) - now).total_seconds()

    def _send(self, attempt: _Attempt, notice: Notice) -> None:
        try:
            self._receiver.send(notice)
        except ReceiverError as error:
            self._back_off(attempt, notice, error)
        else:
            self._counts.sent += 1
            self._settle(attempt, notice, Outcome.SENT)

    def _back_off(self, attempt: _Attempt, notice: Notice, error: ReceiverError) -> None:
        now, alert = self._clock.monotonic(), notice.first
        attempt.failures += 1
        self._counts.failed += 1
        attempt.due = now + self._backoff.delay(attempt.failures, self._rng)
        _log.warning("%s; %s revision %d, attempt %d", error, alert.alert_id, alert.revision, attempt.failures)
        if self._backoff.gives_up(elapsed := attempt.due - attempt.first):
            what = f"{alert.alert_id} and {len(notice.more)} more" if notice.more else alert.alert_id
            self._counts.given_up += 1
            _log.error("GIVEN UP after %.0f s: %s was never sent to %s: %s", elapsed, what, self.name, alert.message)
            self._settle(attempt, notice, Outcome.GAVE_UP)

    def _settle(self, attempt: _Attempt, notice: Notice, outcome: Outcome) -> None:
        attempt.outcome = outcome
        # If the disk fails, the record is tried again, not the receiver.
        attempt.due = self._clock.monotonic() + self._backoff.initial_interval
        self._sent_log.record(notice.alerts, self.name, outcome, self._clock.now())
        self._remove(attempt)
        if attempt.notification is None:
            del self._gathered[attempt.group]
            if self._sent_log.is_waiting(attempt.group, self.name):
                self._gather(attempt.group)

    def _remove(self, attempt: _Attempt) -> None:
        with self._lock:
            self._attempts.remove(attempt)
        if attempt.notification:
            attempt.notification.on_done(attempt.notification, self.name)


def _urgency(attempt: _Attempt) -> tuple[float, str, int]:
    if attempt.notification is None:
        return attempt.due, "", 0
    alert = attempt.notification.alert
    return attempt.due, alert.alert_id, -alert.revision
