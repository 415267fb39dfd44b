"""Looks at the certificates that the settings name: whether each is valid now, until when, and who signed it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from edge.finding import Finding, Status
from edge.settings.mqtt import MqttSettings
from keys.chain import is_signed

NEAR = timedelta(days=30)
_NAME = "certificate"


def of_settings(mqtt: MqttSettings, now: datetime) -> Iterator[Finding]:
    """Yields what is to be said of mqtt.tls_ca and mqtt.tls_certificate."""
    yield from of_authorities("mqtt.tls_ca", mqtt.tls_ca, now)
    yield from of_own("mqtt.tls_certificate", mqtt.tls_certificate, now)
    authorities, chain = _read(mqtt.tls_ca), _read(mqtt.tls_certificate)
    if authorities and chain and not is_signed(chain, authorities):
        text = f"mqtt.tls_certificate {mqtt.tls_certificate} is not signed by mqtt.tls_ca, but by {chain[-1].issuer.rfc4514_string()!r}"
        yield Finding(_NAME, Status.WARN, text, "right only where the broker trusts that signer: its cafile says")


def of_authorities(setting: str, file: Path | None, now: datetime) -> Iterator[Finding]:
    """Says until when one of the authorities in the file of a setting is valid."""
    yield from _of(setting, file, sorted(_read(file), key=lambda each: each.not_valid_after_utc)[-1:], now)


def of_own(setting: str, file: Path | None, now: datetime) -> Iterator[Finding]:
    """Says until when the certificate is valid that stands first in the file of a setting."""
    yield from _of(setting, file, _read(file)[:1], now)


def _of(setting: str, file: Path | None, certificates: Sequence[x509.Certificate], now: datetime) -> Iterator[Finding]:
    for each in certificates:
        yield of_dates(f"{setting} {file}", each.not_valid_before_utc, each.not_valid_after_utc, now)
    if file and not certificates:
        yield Finding(_NAME, Status.FAIL, f"{setting} {file} holds no certificate in PEM", "put it there, or correct the setting")


def of_broker(address: str, certificate: Mapping[str, Any], now: datetime) -> Finding:
    """Says until when the certificate is valid that the broker showed, as ssl.SSLSocket.getpeercert returns it."""
    first, last = (datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate[end]), UTC) for end in ("notBefore", "notAfter"))
    return of_dates(f"that of the broker {address}", first, last, now)


def of_dates(name: str, first: datetime, last: datetime, now: datetime) -> Finding:
    """Says how far `now` is from the two ends of a certificate's validity."""
    if now > last:
        return Finding(_NAME, Status.FAIL, f"{name} expired on {last:%Y-%m-%d %H:%M} UTC", "renew it")
    if now < first:
        return Finding(_NAME, Status.FAIL, f"{name} is not valid before {first:%Y-%m-%d %H:%M} UTC", "set this machine's clock, or wait")
    text = f"{name} is valid until {last:%Y-%m-%d}, {(last - now).days} days more"
    if last - now < NEAR:
        return Finding(_NAME, Status.WARN, text, "renew it; the next connection takes it, without a restart")
    return Finding(_NAME, Status.OK, text)


def _read(file: Path | None) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(file.read_bytes()) if file else []
    except ValueError:
        return []
