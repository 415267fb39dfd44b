"""Asks the broker, as a client beside the gateway, what it would do for it.

Guarantees that nothing is taken from a gateway that runs: it has another client id and no session, and joins no `$share` group.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from edge.intake.client import status_topic
from edge.intake.tls import TlsFiles
from edge.password import password
from edge.settings.mqtt import MqttSettings

_SECONDS = 5.0
_VERSION, _DROPPED = "$SYS/broker/version", "$SYS/broker/publish/messages/dropped"
_SHARE = re.compile(r"^\$share/[^/]+/")


@dataclass(slots=True)
class Answers:
    """Holds what a broker said. What it keeps to itself stays as it is here."""

    client_id: str
    refusal: str = "it did not answer"
    """Why it lets nobody in; empty if it does."""
    refused_topics: list[str] = field(default_factory=list)
    is_complete: bool = False
    """Whether it answered to the gateway's subscriptions."""
    texts: dict[str, str] = field(default_factory=dict)
    certificate: dict[str, Any] = field(default_factory=dict)
    """As ssl.SSLSocket.getpeercert returns it."""

    @property
    def version(self) -> str:
        return self.texts.get(_VERSION, "")

    @property
    def dropped(self) -> int:
        """Returns how many messages it has dropped since it started, 0 if it does not say."""
        text = self.texts.get(_DROPPED, "")
        return int(text) if text.isdecimal() else 0

    def state(self, gateway_id: str) -> str:
        """Returns what it keeps of the gateway: online, offline, or nothing."""
        return self.texts.get(status_topic(gateway_id), "")


class Probe:
    """Is a client of the broker for as long as `ask` takes."""

    def __init__(self, settings: MqttSettings, gateway_id: str, tls: TlsFiles | None, topics: Sequence[str]) -> None:
        self._settings = settings
        self._topics, self._others = list(topics), [status_topic(gateway_id), _VERSION, _DROPPED]
        self._answers = Answers(f"{settings.client_id or gateway_id}-doctor")
        self._is_done = False
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=self._answers.client_id, protocol=mqtt.MQTTv311, reconnect_on_failure=False
        )
        if settings.user:
            self._client.username_pw_set(settings.user, password("mqtt.password_file", settings.password_file))
        if tls is not None:
            self._client.tls_set_context(cast("Any", tls))
        self._client.on_connect, self._client.on_subscribe = self._on_connect, self._on_subscribe
        self._client.on_message, self._client.on_unsubscribe = self._on_message, self._on_unsubscribe

    def ask(self) -> Answers:
        """Connects, subscribes, and leaves. Raises OSError."""
        self._client.connect(self._settings.host, self._settings.port)
        if self._settings.tls:
            self._answers.certificate = cast("Any", self._client.socket()).getpeercert()
        deadline = time.monotonic() + _SECONDS
        while not self._is_done and time.monotonic() < deadline:
            if self._client.loop(0.1) != mqtt.MQTT_ERR_SUCCESS:
                break
        self._client.disconnect()
        return self._answers

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._answers.refusal = str(reason) if reason.is_failure else ""
        self._is_done = reason.is_failure
        if not reason.is_failure:
            # A member of a group would get readings that are the gateway's.
            client.subscribe([(_SHARE.sub("", topic), 1) for topic in self._topics])

    def _on_subscribe(self, client: mqtt.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        if self._answers.is_complete:
            client.unsubscribe(self._others)
            return
        self._answers.is_complete = True
        self._answers.refused_topics = [topic for topic, reason in zip(self._topics, reasons, strict=False) if reason.is_failure]
        # Apart, for there are brokers that hang up on who asks for these.
        client.subscribe([(topic, 0) for topic in self._others])

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if message.topic in self._others:
            self._answers.texts[message.topic] = message.payload.decode(errors="replace")

    def _on_unsubscribe(self, *_: Any) -> None:
        """Ends it: what the broker keeps for a subscription came before this."""
        self._is_done = True
