"""Connects to the broker by TLS 1.2 or newer, the broker verified always, the gateway where it has a certificate."""

from __future__ import annotations

import ssl

from edge.settings.mqtt import MqttSettings
from program.settings import ConfigError


def context(mqtt: MqttSettings) -> ssl.SSLContext | None:
    """Makes the TLS context, None where no TLS is configured. Raises ConfigError for files that are no certificate, or no key of it."""
    if not mqtt.tls:
        return None
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
