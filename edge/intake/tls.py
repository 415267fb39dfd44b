"""Connects to the broker by TLS 1.2 or newer, the broker verified always, the gateway where it has a certificate.

Guarantees that each connection is made with the files as they are then: a certificate that was renewed needs no restart.
"""

from __future__ import annotations

import ssl
from socket import socket

from edge.settings.mqtt import MqttSettings
from program import logs
from program.settings import ConfigError

_log = logs.get(__name__)


class TlsFiles:
    """Makes TLS connections with what the files of the settings hold; with what they held before while they do not fit each other.

    It stands where paho wants an `ssl.SSLContext`, of which paho uses these two names.
    """

    check_hostname = True

    def __init__(self, mqtt: MqttSettings) -> None:
        """Raises ConfigError for files that are no certificate, or no key of it."""
        self._mqtt = mqtt
        self._last = _read(mqtt)

    def wrap_socket(self, connection: socket, server_hostname: str | None = None, *, do_handshake_on_connect: bool = True) -> ssl.SSLSocket:
        self._read_anew()
        return self._last.wrap_socket(connection, server_hostname=server_hostname, do_handshake_on_connect=do_handshake_on_connect)

    def _read_anew(self) -> None:
        """Keeps what was read before if it cannot: whoever renews a certificate writes it and its key one after the other."""
        try:
            self._last = _read(self._mqtt)
        except ConfigError as error:
            _log.error("%s; connecting with what was read before", error)


def context(mqtt: MqttSettings) -> TlsFiles | None:
    """Returns what makes TLS connections, None where no TLS is configured. Raises ConfigError."""
    return TlsFiles(mqtt) if mqtt.tls else None


def _read(mqtt: MqttSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(str(mqtt.tls_ca))
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(f"mqtt.tls_ca {mqtt.tls_ca}: {error}") from error
    if mqtt.tls_certificate is None:
        return context
    try:
        context.load_cert_chain(str(mqtt.tls_certificate), str(mqtt.tls_key))
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(f"mqtt.tls_certificate {mqtt.tls_certificate} with mqtt.tls_key {mqtt.tls_key}: {error}") from error
    return context
