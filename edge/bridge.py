"""Carries batches from an MQTT broker, to which gateways sent them, to another uplink such as Pub/Sub.

At least once: a message is acknowledged to the broker after the uplink confirmed its batch, never before; the session is kept, so what
comes while the bridge is away waits in the broker. What is no batch, or is refused alone, is set aside as a file, loudly. A batch keeps
its name, so one that was carried twice counts once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Annotated, Protocol

from edge.intake.client import Incoming
from edge.intake.reader import MqttMessage
from edge.settings.mqtt import MqttSettings
from edge.settings.topics import CHANNEL, DEVICE, TopicPattern
from edge.store.store import OutboxBatch
from edge.uplink.kinds import UplinkSettings
from edge.uplink.uplink import Publisher
from program import logs
from program.files import write_durably
from program.names import Name
from program.settings import Settings, require, setting
from schemas.envelope import Envelope, EnvelopeError, entry
from schemas.message import unfolded
from schemas.signature import signature_in

TAKE_SECONDS, ANSWER_SECONDS = 1.0, 120.0

_log = logs.get(__name__)


class BridgeSettings(Settings, frozen=True, kw_only=True):
    """Holds the whole file of a bridge."""

    name: Annotated[Name, setting("Name of the bridge: that of its session at the broker", example="bridge-1", since="0.3.0")] = "bridge"
    set_aside_dir: Annotated[Path, setting("Folder of what is no batch, or is refused", example="/var/lib/tinybeam/bridge", since="0.3.0")]
    mqtt: Annotated[
        MqttSettings, setting("The broker. Its topic is that of the batches: {device} is the gateway, {channel} the kind", since="0.3.0")
    ]
    uplink: Annotated[UplinkSettings, setting("Where the batches go", since="0.3.0")]

    def __post_init__(self) -> None:
        topic = self.mqtt.topic
        require(
            DEVICE in topic and CHANNEL in topic, f"mqtt.topic must have {{device}} and {{channel}} in it, not {topic!r}: gateway and kind"
        )


class Source(Protocol):
    """Hands messages over and acknowledges them: what a bridge needs of edge.intake.client.Intake."""

    def take(self, seconds: float) -> list[Incoming]: ...
    def acknowledge(self, incoming: Sequence[Incoming]) -> None: ...


class Bridge:
    """Is turned by one thread until `stopping` is set: `bridge.run()`."""

    def __init__(self, settings: BridgeSettings, source: Source, publisher: Publisher, stopping: threading.Event) -> None:
        self._source, self._publisher, self._stopping = source, publisher, stopping
        self._pattern = TopicPattern.parse("mqtt.topic", settings.mqtt.topic)
        self._retry, self._folder = settings.uplink.retry, settings.set_aside_dir

    def run(self) -> None:
        while not self._stopping.is_set():
            self.turn()

    def turn(self) -> None:
        """Carries what waits, and acknowledges it, unless it is to stop before."""
        incoming = self._source.take(TAKE_SECONDS)
        if incoming and self._carry(list(self._batches(incoming))):
            self._source.acknowledge(incoming)

    def _set_aside(self, message: MqttMessage) -> None:
        """Keeps a message as an export file with one entry, whole and durable: the pipeline makes a reject of it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        content = entry({"topic": message.topic}, message.payload)
        path = self._folder / f"{sha256(content).hexdigest()[:32]}.tbb"
        write_durably(path, [content], path.with_suffix(".part"))

    def _batches(self, incoming: Sequence[Incoming]) -> Iterator[tuple[OutboxBatch, Incoming]]:
        for number, each in enumerate(incoming):
            try:
                envelope, body, signature = _opened(self._pattern, each.message)
            except EnvelopeError as error:
                _log.error("what came on %r is no batch and is set aside: %s", each.message.topic, error)
                self._set_aside(each.message)
            else:
                yield OutboxBatch(number, envelope, body, signature), each

    def _carry(self, batches: Sequence[tuple[OutboxBatch, Incoming]]) -> bool:
        """Returns once all have arrived or are set aside; False if it is to stop before."""
        pauses = self._retry.delays(Random())
        while batches and not self._stopping.is_set():
            error = _answer(self._publisher, [batch for batch, _ in batches])
            if error is None:
                return True
            if self._publisher.refuses_only_this(error):
                return self._carry_apart(batches, error)
            pause = next(pauses)
            _log.warning("%d batches wait in the broker, trying again in %.1f s: %r", len(batches), pause, error)
            self._stopping.wait(pause)
        return not batches

    def _carry_apart(self, batches: Sequence[tuple[OutboxBatch, Incoming]], error: BaseException) -> bool:
        if len(batches) > 1:
            return all(self._carry([each]) for each in batches)
        [(batch, each)] = batches
        _log.error("batch %s is refused and set aside: %r", batch.envelope.batch_id, error)
        self._set_aside(each.message)
        return True


def _answer(publisher: Publisher, batches: Sequence[OutboxBatch]) -> BaseException | None:
    answered = threading.Event()
    future = publisher.publish(batches)
    future.add_done_callback(lambda _: answered.set())
    return future.exception() if answered.wait(ANSWER_SECONDS) else TimeoutError(f"no answer within {ANSWER_SECONDS:.0f} s")


def _opened(pattern: TopicPattern, message: MqttMessage) -> tuple[Envelope, bytes, bytes]:
    """Reads a message of edge.uplink.mqtt_publisher, whose topic says gateway and kind, with its signature. Raises EnvelopeError."""
    gateway, kind = pattern.match(message.topic) or (None, None)
    if message.left_out:
        raise EnvelopeError(f"it has {len(message.payload) + message.left_out} bytes")
    attributes, body = unfolded({"gateway_id": gateway or "", "kind": kind or ""}, message.payload)
    return Envelope.parse(attributes), body, signature_in(attributes) or b""
