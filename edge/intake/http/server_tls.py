"""Makes TLS connections of those that devices open, with the files as they are then: a renewed certificate needs no restart."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

from edge.settings.http import HttpSettings
from program import logs
from program.settings import ConfigError

_log = logs.get(__name__)


class ServerTls:
    """Keeps a context for the files as they were last read, or before while they do not fit each other."""

    def __init__(self, settings: HttpSettings) -> None:
        """Raises ConfigError."""
        self._settings, self._lock = settings, threading.Lock()
        self._files = [file for file in (settings.tls_certificate, settings.tls_key, settings.tls_client_ca) if file]
        self._seen, self._context = self._times(), _context(settings)

    def wrap(self, connection: socket.socket) -> ssl.SSLSocket:
        """Shakes hands, within the connection's timeout. Raises OSError."""
        with self._lock:
            if (seen := self._times()) != self._seen:
                self._seen = seen
                self._read_anew()
            context = self._context
        return context.wrap_socket(connection, server_side=True)

    def _read_anew(self) -> None:
        try:
            self._context = _context(self._settings)
        except ConfigError as error:
            _log.error("%s; going on with what was read before", error)

    def _times(self) -> list[int]:
        return [_changed(file) for file in self._files]


def _changed(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _context(settings: HttpSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(str(settings.tls_certificate), str(settings.tls_key))
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(f"http.tls_certificate {settings.tls_certificate} with http.tls_key {settings.tls_key}: {error}") from error
    if settings.tls_client_ca:
        try:
            context.load_verify_locations(str(settings.tls_client_ca))
        except (ssl.SSLError, OSError) as error:
            raise ConfigError(f"http.tls_client_ca {settings.tls_client_ca}: {error}") from error
        # Where there are tokens, too, a device may have either.
        context.verify_mode = ssl.CERT_OPTIONAL if settings.tokens_file else ssl.CERT_REQUIRED
    return context
