"""Connects to the broker of the sensors by TLS, as [mqtt] says."""

from __future__ import annotations

from edge.client_tls import TlsFiles
from edge.settings.mqtt import MqttSettings

__all__ = ["TlsFiles", "context"]


def context(mqtt: MqttSettings) -> TlsFiles | None:
    """Returns what makes TLS connections, None where no TLS is configured. Raises ConfigError."""
    return TlsFiles("mqtt", mqtt.tls_ca, mqtt.tls_certificate, mqtt.tls_key) if mqtt.tls_ca else None
