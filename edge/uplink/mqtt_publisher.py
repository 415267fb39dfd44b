"""Publishes batches to an MQTT broker, a message each, with the envelope folded before the body. A batch has arrived with its PUBACK.

By MQTT 5 the broker says what it did not take, for want of a right or of somebody who subscribed; by 3.1.1 it confirms that, too.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from edge.store.store import OutboxBatch
from edge.uplink.mqtt import MqttUplinkSettings
from edge.uplink.mqtt_diagnosis import MqttDiagnosis
from edge.uplink.mqtt_session import MqttSession
from edge.uplink.uplink import PublishFuture, UplinkError
from program.settings import ConfigError
from schemas.message import folded

ANSWER_SECONDS = 30.0
_REQUESTS = 8


class MqttPublisher:
    """Connects with the first batch, and anew with the first after the connection ended."""

    def __init__(self, settings: MqttUplinkSettings) -> None:
        """Raises UplinkError for certificates that cannot be read. Asks no network."""
        self._settings, self._lock = settings, threading.Lock()
        self._session: MqttSession | None = None
        self._diagnosis = MqttDiagnosis(settings.tls_certificate)
        self._requests = ThreadPoolExecutor(_REQUESTS, thread_name_prefix="publish")
        try:
            settings.tls()
        except ConfigError as error:
            raise UplinkError(str(error)) from error

    def publish(self, batches: Sequence[OutboxBatch]) -> PublishFuture:
        return self._requests.submit(self._publish, batches)

    def refuses_only_this(self, error: BaseException) -> bool:
        return isinstance(error, ValueError)

    def close(self) -> None:
        self._requests.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            if self._session:
                self._session.close()

    def _publish(self, batches: Sequence[OutboxBatch]) -> None:
        messages = [self._message(batch) for batch in batches]
        try:
            self._send(messages)
        except OSError as error:
            raise self._diagnosis.of(error) from error

    def _send(self, messages: Sequence[tuple[str, bytes]]) -> None:
        session = self._opened()
        try:
            for confirmed in [session.publish(*message) for message in messages]:
                confirmed.result(ANSWER_SECONDS)
        except TimeoutError:
            # A broker that is silent is not asked again over the same connection.
            session.close()
            raise

    def _message(self, batch: OutboxBatch) -> tuple[str, bytes]:
        """Raises ValueError for a batch that was cut when larger ones were taken."""
        topic, (_, data) = self._settings.topic_of(batch), folded(batch.envelope, batch.body, batch.signature)
        if len(topic) + len(data) > self._settings.max_message_bytes:
            raise ValueError(f"a message of {len(data)} bytes, but uplink.max_message_bytes is {self._settings.max_message_bytes}")
        return topic, data

    def _opened(self) -> MqttSession:
        with self._lock:
            if self._session is None or not self._session.is_open:
                if self._session:
                    self._session.close()
                self._session = None
                self._session = MqttSession(self._settings, self._settings.client_id)
            return self._session
