"""Brings a message to every receiver that a route names, once: the notifier without its threads and clients.

A message is acknowledged when each of its receivers has the notification, or gave it up, and the log of what was sent says so; until then
Pub/Sub keeps it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import timedelta

from notify.clock import Clock
from notify.config import Config
from notify.exposition import MessageCounts
from notify.notification import Notification, Receipt
from notify.receiver_worker import ReceiverWorker
from notify.sent_log import Outcome, SentLog
from program import logs
from schemas.notification import NotificationError, parse
from schemas.records import Alert

_SHOWN_BYTES = 300

_log = logs.get(__name__)


class Dispatcher:
    """Parses messages (`dispatcher.dispatch(body, receipt)`), hands their notifications to the workers, and acknowledges.

    Used by any thread.
    """

    def __init__(self, config: Config, sent_log: SentLog, workers: Mapping[str, ReceiverWorker], clock: Clock) -> None:
        self._config, self._sent_log, self._workers, self._clock = config, sent_log, workers, clock
        self._lock = threading.Lock()
        self.counts = MessageCounts()
        self._under_way: dict[tuple[str, int], Notification] = {}

    def dispatch(self, body: bytes, receipt: Receipt) -> None:
        """Takes a message.

        One that is no notification is logged and discarded, that is acknowledged: its alert, if there is one, is in the warehouse.
        """
        self._count(received=1)
        try:
            alert = parse(body)
        except NotificationError as error:
            self._count(discarded=1)
            _log.error("a message that is no notification is discarded: %s: %r", error, body[:_SHOWN_BYTES])
            receipt.ack()
            return
        receivers = self._drop_if_old(alert, self._waiting_receivers(alert))
        if receivers:
            self._hand_over(alert, receivers, receipt)
        else:
            receipt.ack()

    def _waiting_receivers(self, alert: Alert) -> list[str]:
        return [name for name in self._config.receivers_of(alert) if not self._sent_log.is_settled(alert, name)]

    def _drop_if_old(self, alert: Alert, receivers: list[str]) -> list[str]:
        """Returns the receivers; none if it is too late for them."""
        if not receivers or self._clock.now() - alert.as_of <= timedelta(seconds=self._config.notify.max_age_seconds):
            return receivers
        self._count(too_old=1)
        _log.warning("%s revision %d is sent to nobody: it is of %s", alert.alert_id, alert.revision, alert.as_of)
        for name in receivers:
            self._sent_log.record([alert], name, Outcome.TOO_OLD, self._clock.now())
        return []

    def _hand_over(self, alert: Alert, receivers: list[str], receipt: Receipt) -> None:
        key = alert.alert_id, alert.revision
        with self._lock:
            if notification := self._under_way.get(key):
                notification.receipts.append(receipt)
                return
            notification = self._under_way[key] = Notification(alert, set(receivers), self._on_done, [receipt])
        for name in receivers:
            self._workers[name].add(notification)

    def _count(self, *, received: int = 0, discarded: int = 0, too_old: int = 0) -> None:
        with self._lock:
            self.counts.received += received
            self.counts.discarded += discarded
            self.counts.too_old += too_old

    def _on_done(self, notification: Notification, receiver: str) -> None:
        with self._lock:
            notification.receivers.discard(receiver)
            if notification.receivers:
                return
            self._under_way.pop((notification.alert.alert_id, notification.alert.revision), None)
        for receipt in notification.receipts:
            receipt.ack()
