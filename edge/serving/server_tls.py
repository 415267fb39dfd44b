"""Makes TLS connections of those that are opened, with the files as they are then: a renewed certificate needs no restart."""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

from program import logs
from program.settings import ConfigError

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class ServerTlsFiles:
    """Names what a table of settings sets: certificate and key, and who signs the certificates of those who come."""

    table: str
    certificate: Path
    key: Path
    client_ca: Path | None = None
    needs_client: bool = True
    """Whether nobody comes in without a certificate, if there is a `client_ca`."""


class ServerTls:
    """Keeps a context for the files as they were last read, or before while they do not fit each other."""

    def __init__(self, files: ServerTlsFiles) -> None:
        """Raises ConfigError."""
        self._files, self._lock = files, threading.Lock()
        self._seen, self._context = self._times(), _context(files)

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
            self._context = _context(self._files)
        except ConfigError as error:
            _log.error("%s; going on with what was read before", error)

    def _times(self) -> list[int]:
        return [_changed(file) for file in (self._files.certificate, self._files.key, self._files.client_ca) if file]


def _changed(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _context(files: ServerTlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(files.certificate, files.key)
    except (ssl.SSLError, OSError) as error:
        sentence = f"{files.table}.tls_certificate {files.certificate} with {files.table}.tls_key {files.key}: {error}"
        raise ConfigError(sentence) from error
    if files.client_ca:
        try:
            context.load_verify_locations(files.client_ca)
        except (ssl.SSLError, OSError) as error:
            raise ConfigError(f"{files.table}.tls_client_ca {files.client_ca}: {error}") from error
        context.verify_mode = ssl.CERT_REQUIRED if files.needs_client else ssl.CERT_OPTIONAL
    return context
