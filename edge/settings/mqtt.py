"""Declares [mqtt]: the broker, and what of its messages is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from edge.settings.topics import TopicPattern
from program.settings import YEAR, Settings, is_local, is_public, require, setting


class MqttSettings(Settings, frozen=True, kw_only=True):
    """Names the broker that the sensors speak to, and says what of their messages is believed."""

    host: Annotated[str, setting("Name or address of the broker; another machine needs TLS", min_length=1)] = "127.0.0.1"
    port: Annotated[int, setting("Port of the broker; 8883 is usual for TLS", ge=1, le=65_535)] = 1883
    topic: Annotated[str, setting("Topic filter of the readings; the only + is the device, or a level called {device}", min_length=1)] = (
        "sensors/+/readings"
    )
    client_id: Annotated[str, setting("Name under which the broker holds the session. Empty: gateway.id")] = ""
    user: Annotated[str | None, setting("User name at the broker", example="tinybeam", since="0.3.0")] = None
    password_file: Annotated[
        Path | None, setting("File with the user's password, readable by the gateway alone", example="mqtt.password", since="0.3.0")
    ] = None
    allow_plain: Annotated[
        bool, setting("Whether another machine may be spoken to without TLS, on a private network: all can read and forge", since="0.3.0")
    ] = False
    tls_ca: Annotated[Path | None, setting("Certificate of who signed the broker's certificate", example="ca.pem")] = None
    tls_certificate: Annotated[Path | None, setting("The gateway's own certificate", example="gateway.pem")] = None
    tls_key: Annotated[Path | None, setting("The key of the gateway's certificate, readable by it alone", example="gateway.key")] = None
    max_payload_bytes: Annotated[
        int, setting("A larger message is set aside as a reject that keeps its first 64 KiB", ge=1, le=1 << 20)
    ] = 65_536
    keepalive_seconds: Annotated[int, setting("Longest silence on the connection before it is probed", ge=5, le=65_535)] = 30
    max_future_seconds: Annotated[
        int,
        setting(
            "A reading dated later than this from now is set aside, while the time is known, unless its device is steadily so",
            ge=0,
            le=YEAR,
        ),
    ] = 300
    max_age_seconds: Annotated[
        int, setting("A reading older than this is set aside; BigQuery's partitions reach back 1825 days", ge=1, le=1825 * 86_400)
    ] = 1800 * 86_400
    commit_messages: Annotated[int, setting("So many messages share one commit to disk before they are acknowledged", ge=1, le=100_000)] = (
        500
    )
    commit_milliseconds: Annotated[int, setting("Longest wait of a message for the commit that it shares", ge=0, le=60_000)] = 500

    def __post_init__(self) -> None:
        TopicPattern.parse("topic", self.topic)
        require((self.tls_certificate is None) == (self.tls_key is None), "tls_certificate and tls_key go together")
        require(self.tls or not self.tls_certificate, "tls_certificate needs tls_ca, by which the broker is known")
        require(self.user or not self.password_file, "password_file needs user")
        others = "set mqtt.tls_ca, or allow_plain = true on a private network"
        require(self.tls or self.allow_plain or is_local(self.host), f"host {self.host} is another machine: {others}")
        require(self.tls or not is_public(self.host), f"host {self.host} is a public address: set mqtt.tls_ca")

    @property
    def is_plain(self) -> bool:
        """Says whether readings cross a network that others may read and write."""
        return not self.tls and not is_local(self.host)

    @property
    def tls(self) -> bool:
        return self.tls_ca is not None
