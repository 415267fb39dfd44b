"""Declares [mqtt]: the broker, and what of its messages is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from program.settings import YEAR, Settings, is_local, require, setting

_WITH_PLUS = "a topic filter with one `+`, the device, and no `#`"


class MqttSettings(Settings, frozen=True, kw_only=True):
    """Names the broker that the sensors speak to, and says what of their messages is believed."""

    host: Annotated[str, setting("Name or address of the broker; another machine needs TLS", min_length=1)] = "127.0.0.1"
    port: Annotated[int, setting("Port of the broker; 8883 is usual for TLS", ge=1, le=65_535)] = 1883
    topic: Annotated[
        str, setting("Topic filter of the readings; the + is the device", pattern=r"^[^+#]*(?<![^/])\+(?![^/])[^+#]*$", form=_WITH_PLUS)
    ] = "sensors/+/readings"
    client_id: Annotated[str, setting("Name under which the broker holds the session. Empty: gateway.id")] = ""
    tls_ca: Annotated[Path | None, setting("Certificate of who signed the broker's certificate", example="ca.pem")] = None
    tls_certificate: Annotated[Path | None, setting("The gateway's own certificate", example="gateway.pem")] = None
    tls_key: Annotated[Path | None, setting("The key of the gateway's certificate, readable by it alone", example="gateway.key")] = None
    max_payload_bytes: Annotated[
        int, setting("A larger message is set aside as a reject that keeps its first 64 KiB", ge=1, le=1 << 20)
    ] = 65_536
    keepalive_seconds: Annotated[int, setting("Longest silence on the connection before it is probed", ge=5, le=65_535)] = 30
    max_future_seconds: Annotated[int, setting("A reading dated later than this from now is set aside", ge=0, le=YEAR)] = 300
    max_age_seconds: Annotated[
        int, setting("A reading older than this is set aside; BigQuery's partitions reach back 1825 days", ge=1, le=1825 * 86_400)
    ] = 1800 * 86_400
    commit_messages: Annotated[int, setting("So many messages share one commit to disk before they are acknowledged", ge=1, le=100_000)] = (
        500
    )
    commit_milliseconds: Annotated[int, setting("Longest wait of a message for the commit that it shares", ge=0, le=60_000)] = 500

    def topic_of(self, device_id: str) -> str:
        """Returns the topic on which a device sends."""
        return self.topic.replace("+", device_id)

    def __post_init__(self) -> None:
        files = {"tls_ca": self.tls_ca, "tls_certificate": self.tls_certificate, "tls_key": self.tls_key}
        present = [name for name, file in files.items() if file]
        require(len(present) in {0, 3}, f"TLS needs tls_ca, tls_certificate and tls_key; given: {', '.join(present)}")
        require(present or is_local(self.host), f"host {self.host} is another machine: set mqtt.tls_ca, tls_certificate and tls_key")

    @property
    def tls(self) -> bool:
        return self.tls_ca is not None
