"""From a message to every receiver that a route names, once: the notifier without its threads and clients.

A message is acknowledged when each of its receivers has the notice, or gave it up, and the file says so; until then Pub/Sub keeps it.
A receiver that fails waits with full jitter for each notice by itself, and holds up no other receiver. An older revision is not told after
a newer one. What remains: a kill between a receiver's answer and the commit right after it can repeat that one notice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Protocol

from notify.config import Config
from notify.receivers import Receiver, ReceiverError
from notify.sent_log import GAVE_UP, OLD, TOLD, WITHHELD, SentLog
from program import logs
from program.backoff import Backoff
from schemas.notification import NotificationError, parse
from schemas.records import Alert

HOUR = timedelta(hours=1)
IDLE_SECONDS = 60.0
_SHOWN_BYTES = 300

_log = logs.get(__name__)

Clock = Callable[[], datetime]


class Receipt(Protocol):
    """What a message is acknowledged by. One that is not comes again."""

    def ack(self) -> None: ...


@dataclass(slots=True)
class Notification:
    """One notice on its way. `waiting` are the receivers that are not done with it."""

    alert: Alert
    waiting: set[str]
    done: Callable[[Notification, str], None]
    """What a receiver calls that is done with it."""
    receipts: list[Receipt] = field(default_factory=list)


@dataclass(slots=True)
class _Attempt:
    """A letter in one receiver; times of a monotonic clock, in seconds."""

    letter: Notification
    first: float
    due: float
    failures: int = 0
    outcome: str | None = None
    """What became of it, if only the record of it is missing."""


class Dispatcher:
    """Takes messages in, hands letters to the receivers, and acknowledges. Used by any thread."""

    def __init__(self, config: Config, told: SentLog, outlets: dict[str, ReceiverWorker], now: Clock) -> None:
        self._config, self._told, self._outlets, self._now = config, told, outlets, now
        self._lock = threading.Lock()
        self._letters: dict[tuple[str, int], Notification] = {}

    def take(self, body: bytes, receipt: Receipt) -> None:
        """A message. One that is no notice is logged and acknowledged: its alert, if there is one, is in the warehouse."""
        try:
            alert = parse(body)
        except NotificationError as error:
            _log.error("a message is no notice and is passed over: %s: %r", error, body[:_SHOWN_BYTES])
            receipt.ack()
            return
        receivers = [name for name in self._config.receivers_of(alert) if not self._told.is_settled(alert, name)]
        if receivers and self._now() - alert.as_of > timedelta(seconds=self._config.notify.max_age_seconds):
            _log.warning("%s revision %d is told to nobody: it is of %s", alert.alert_id, alert.revision, alert.as_of)
            for name in receivers:
                self._told.record(alert, name, OLD, self._now())
            receivers = []
        if not receivers:
            receipt.ack()
            return
        self._hand_over(alert, receivers, receipt)

    def _hand_over(self, alert: Alert, receivers: list[str], receipt: Receipt) -> None:
        key = alert.alert_id, alert.revision
        with self._lock:
            if under_way := self._letters.get(key):
                under_way.receipts.append(receipt)
                return
            letter = self._letters[key] = Notification(alert, set(receivers), self._done, [receipt])
        for name in receivers:
            self._outlets[name].add(letter)

    def _done(self, letter: Notification, receiver: str) -> None:
        with self._lock:
            letter.waiting.discard(receiver)
            if letter.waiting:
                return
            self._letters.pop((letter.alert.alert_id, letter.alert.revision), None)
        for receipt in letter.receipts:
            receipt.ack()


class ReceiverWorker:
    """One receiver with what waits for it. `add` is for any thread, `turn` for one."""

    def __init__(  # noqa: PLR0913
        self, receiver: Receiver, told: SentLog, config: Config, now: Clock, monotonic: Callable[[], float], chance: Random
    ) -> None:
        self._receiver, self._told, self._now, self._monotonic, self._chance = receiver, told, now, monotonic, chance
        self._max_per_hour = config.notify.max_per_hour
        self._backoff = Backoff(**asdict(config.retry))
        self._lock, self._attempts = threading.Lock(), list[_Attempt]()
        self.woken = threading.Event()

    def add(self, letter: Notification) -> None:
        now = self._monotonic()
        with self._lock:
            self._attempts.append(_Attempt(letter, now, now))
        self.woken.set()

    def turn(self) -> float:
        """Makes the attempt that is due, if any; returns in how many seconds the next one is."""
        attempt = self._next()
        if attempt:
            self._try(attempt)
        with self._lock:
            return max(min((one.due for one in self._attempts), default=self._monotonic() + IDLE_SECONDS) - self._monotonic(), 0.0)

    def _next(self) -> _Attempt | None:
        """The one that is due for longest; of one alert the latest revision."""
        with self._lock:
            due = [one for one in self._attempts if one.due <= self._monotonic()]
            return min(due, key=lambda one: (one.due, one.letter.alert.alert_id, -one.letter.alert.revision), default=None)

    def _try(self, attempt: _Attempt) -> None:
        alert = attempt.letter.alert
        if attempt.outcome:
            self._settle(attempt, attempt.outcome)
            return
        if self._told.is_settled(alert, self._receiver.name):
            _log.debug("%s revision %d is overtaken by a later one in %s", alert.alert_id, alert.revision, self._receiver.name)
            self._leave(attempt)
            return
        room = self._max_per_hour - self._told.count(alert, self._receiver.name, self._now() - HOUR)
        if room <= 0:
            _log.warning("%s revision %d is withheld from %s: enough was told", alert.alert_id, alert.revision, self._receiver.name)
            self._settle(attempt, WITHHELD)
            return
        try:
            self._receiver.tell(alert, self._last_words() if room == 1 else "")
        except ReceiverError as error:
            self._failed(attempt, error)
        else:
            self._settle(attempt, TOLD)

    def _last_words(self) -> str:
        return f"{self._max_per_hour} notices of this rule and site in an hour: further ones are withheld, look at alerts_open"

    def _failed(self, attempt: _Attempt, error: ReceiverError) -> None:
        now, alert = self._monotonic(), attempt.letter.alert
        attempt.failures += 1
        attempt.due = now + self._backoff.delay(attempt.failures, self._chance)
        _log.warning("%s; %s revision %d, attempt %d", error, alert.alert_id, alert.revision, attempt.failures)
        if self._backoff.gives_up(elapsed := attempt.due - attempt.first):
            _log.error("GIVEN UP after %.0f s: %s was never told in %s: %s", elapsed, alert.alert_id, self._receiver.name, alert.message)
            self._settle(attempt, GAVE_UP)

    def _settle(self, attempt: _Attempt, outcome: str) -> None:
        attempt.outcome = outcome
        attempt.due = self._monotonic() + self._backoff.initial_interval  # if the disk fails, the record is tried again, not the receiver
        self._told.record(attempt.letter.alert, self._receiver.name, outcome, self._now())
        self._leave(attempt)

    def _leave(self, attempt: _Attempt) -> None:
        with self._lock:
            self._attempts.remove(attempt)
        attempt.letter.done(attempt.letter, self._receiver.name)
