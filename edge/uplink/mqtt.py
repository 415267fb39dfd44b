"""Makes an MQTT broker an uplink, such as one of one's own, AWS IoT Core or Azure IoT Hub: its settings, and the doctor's look at it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from edge.client_tls import TlsFiles
from edge.finding import Finding, Status, of_secret
from edge.store.store import OutboxBatch
from edge.uplink.limits import Limits, Wire
from edge.uplink.uplink import Publisher
from program.backoff import Backoff
from program.settings import ConfigError, Settings, is_local, require, setting
from schemas.message import folded
from schemas.signature import SIGNATURE_BYTES

GATEWAY, KIND = "{gateway}", "{kind}"
_PACKET_BYTES, _FOLDED_BYTES = 10, 100 + SIGNATURE_BYTES
"""Type, length, identifier and properties of a PUBLISH; and what stands before a body, at most."""


class MqttUplinkSettings(Settings, frozen=True, kw_only=True, tag_field="kind", tag="mqtt"):
    """Batches go to an MQTT broker, a message each at QoS 1. `tinybeam edge bridge` carries them on to Pub/Sub."""

    host: Annotated[str, setting("Name or address of the broker; another machine needs TLS", min_length=1, since="0.3.0")]
    port: Annotated[int, setting("Port of the broker", ge=1, le=65_535, since="0.3.0")] = 8883
    client_id: Annotated[
        str,
        setting(
            "Name under which the broker knows the gateway: AWS's thing, Azure's device", min_length=1, example="gateway-1", since="0.3.0"
        ),
    ]
    topic: Annotated[
        str, setting("Topic of the batches; {gateway} is the gateway's name, {kind} what is in them", min_length=1, since="0.3.0")
    ] = "tinybeam/{gateway}/{kind}"
    protocol: Annotated[
        Literal["5", "3.1.1"],
        setting("Version of MQTT. By 3.1.1 a broker confirms what it does not let in, and what nobody takes", since="0.3.0"),
    ] = "5"
    needs_subscriber: Annotated[
        bool, setting("Whether what nobody subscribes to counts as not sent, where the broker says so (MQTT 5)", since="0.3.0")
    ] = True
    max_message_bytes: Annotated[
        int, setting("Largest message that the broker takes; batches are cut below it", ge=80_000, le=1_000_000, since="0.3.0")
    ] = 128_000
    user: Annotated[str | None, setting("User name at the broker", example="tinybeam", since="0.3.0")] = None
    tls_ca: Annotated[Path | None, setting("Who signed the broker's certificate", example="ca.pem", since="0.3.0")] = None
    tls_certificate: Annotated[Path | None, setting("The gateway's certificate", example="gateway.pem", since="0.3.0")] = None
    tls_key: Annotated[Path | None, setting("Its key, readable by the gateway alone", example="gateway.key", since="0.3.0")] = None
    limits: Annotated[Limits, setting("How many bytes may go up", since="0.3.0")] = Limits()
    retry: Annotated[Backoff, setting("Between two attempts while the uplink is down; it is never given up", since="0.3.0")] = Backoff()

    def __post_init__(self) -> None:
        require(GATEWAY in self.topic and KIND in self.topic.split("/")[-1:], "topic must have {gateway} in it, and end in /{kind}")
        require(self.topic.count(GATEWAY) == 1 and GATEWAY in self.topic.split("/"), "topic must have {gateway} as one of its levels")
        require(not set("+#") & set(self.topic), "topic is where batches go: no + and no #")
        require((self.tls_certificate is None) == (self.tls_key is None), "tls_certificate and tls_key go together")
        require(self.tls_ca or not self.tls_certificate, "tls_certificate needs tls_ca, by which the broker is known")
        require(self.tls_ca or is_local(self.host), f"host {self.host} is another machine: set tls_ca")

    @property
    def wire(self) -> Wire:
        return Wire(0, partial(_message_bytes, self.topic), self.max_message_bytes - len(self.topic) - 2 * 64 - _FOLDED_BYTES)

    @property
    def destination(self) -> str:
        return f"{self.topic} of {self.host}:{self.port}"

    def topic_of(self, batch: OutboxBatch) -> str:
        return _filled(self.topic, batch)

    def tls(self) -> TlsFiles | None:
        """Raises ConfigError."""
        from edge.uplink.mqtt_session import AttentiveSocket

        return TlsFiles("uplink", self.tls_ca, self.tls_certificate, self.tls_key, AttentiveSocket) if self.tls_ca else None

    def open(self) -> Publisher:
        from edge.uplink.mqtt_publisher import MqttPublisher

        return MqttPublisher(self)

    def findings(self) -> Iterator[Finding]:
        if self.tls_key:
            yield of_secret("uplink.tls_key", self.tls_key)
        from edge.uplink.mqtt_diagnosis import MqttDiagnosis
        from edge.uplink.mqtt_session import MqttSession

        try:
            MqttSession(self, f"{self.client_id}-doctor").close()
        except (ConfigError, OSError) as error:
            yield MqttDiagnosis(self.tls_certificate).finding(error)
        else:
            yield Finding("uplink", Status.OK, f"{self.host}:{self.port} lets a client like the gateway in")


def _filled(topic: str, batch: OutboxBatch) -> str:
    return topic.replace(GATEWAY, batch.envelope.gateway_id).replace(KIND, batch.envelope.kind)


def _message_bytes(topic: str, batch: OutboxBatch) -> int:
    """Counts a PUBLISH packet."""
    _, data = folded(batch.envelope, batch.body, batch.signature)
    return _PACKET_BYTES + len(_filled(topic, batch)) + len(data)
