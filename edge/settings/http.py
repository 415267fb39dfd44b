"""Declares [http]: where devices without MQTT post their readings, and who may."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from edge.serving.server_tls import ServerTlsFiles
from program.settings import Settings, is_local, require, setting


class HttpSettings(Settings, frozen=True, kw_only=True):
    """Takes readings that are posted to /v1/readings/DEVICE. Bounds and formats are those of [mqtt] and of the device's class."""

    host: Annotated[str, setting("Address that it listens at; any but this machine's own needs TLS", min_length=1, since="0.3.0")] = (
        "127.0.0.1"
    )
    port: Annotated[int, setting("Port that it listens at, such as 8443. 0: no readings over HTTP", ge=0, le=65_535, since="0.3.0")] = 0
    tokens_file: Annotated[
        Path | None,
        setting(
            "A line for each token: the token and the devices, by name or pattern, that it speaks for", example="http.tokens", since="0.3.0"
        ),
    ] = None
    tls_certificate: Annotated[Path | None, setting("The gateway's certificate for devices", example="gateway.pem", since="0.3.0")] = None
    tls_key: Annotated[Path | None, setting("Its key, readable by the gateway alone", example="gateway.key", since="0.3.0")] = None
    tls_client_ca: Annotated[
        Path | None,
        setting("Who signs the devices' certificates: a device that shows one speaks for the name in it", example="ca.pem", since="0.3.0"),
    ] = None
    max_connections: Annotated[int, setting("Most connections at a time; more are closed at once", ge=1, le=1000, since="0.3.0")] = 64
    max_connections_per_address: Annotated[int, setting("Most of them from one address", ge=1, le=1000, since="0.3.0")] = 16
    max_requests_per_minute: Annotated[
        int, setting("Most requests of one token or certificate in a minute; more are answered by 429", ge=1, le=1_000_000, since="0.3.0")
    ] = 600

    def __post_init__(self) -> None:
        require((self.tls_certificate is None) == (self.tls_key is None), "tls_certificate and tls_key go together")
        require(self.tls_certificate or not self.tls_client_ca, "tls_client_ca needs tls_certificate")
        if self.port:
            require(self.tokens_file or self.tls_client_ca, "tokens_file or tls_client_ca must say who may post readings")
            require(
                self.tls_certificate or is_local(self.host), f"host {self.host} is not this machine alone: set tls_certificate and tls_key"
            )

    @property
    def tls_files(self) -> ServerTlsFiles | None:
        """Returns what TLS is by; where there are tokens, too, a device may have either. None without TLS."""
        if not (self.tls_certificate and self.tls_key):
            return None
        return ServerTlsFiles("http", self.tls_certificate, self.tls_key, self.tls_client_ca, needs_client=not self.tokens_file)
