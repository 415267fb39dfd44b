"""Knows when the certificate ends by which the gateway enters the broker, and what that makes of a connection that does not stand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509

from program import logs
from schemas.records import LinkState

_log = logs.get(__name__)


class OwnCertificate:
    """Reads the file of mqtt.tls_certificate again when it has changed. Usage: `certificate.end()`, as often as one likes."""

    def __init__(self, file: Path | None) -> None:
        self._file, self._seen = file, 0
        self._end: datetime | None = None

    def end(self) -> datetime | None:
        """Returns when it ends, None if there is none. While the file is no certificate, what it was before counts."""
        if self._file is None:
            return None
        try:
            if (seen := self._file.stat().st_mtime_ns) != self._seen:
                self._end = x509.load_pem_x509_certificates(self._file.read_bytes())[0].not_valid_after_utc
                self._seen = seen
        except (OSError, ValueError) as error:
            _log.warning("mqtt.tls_certificate %s cannot be read: %s", self._file, error)
        return self._end


def state_of(connection: LinkState, end: datetime | None, now: datetime) -> LinkState:
    """Says cert_expired of a connection that cannot come back before the certificate, which ended at `end`, is renewed."""
    has_expired = end is not None and now > end
    return LinkState.CERT_EXPIRED if has_expired and connection == LinkState.OFFLINE else connection
