"""Connects to a broker by TLS 1.2 or newer, the broker verified always, the gateway where it has a certificate.

Guarantees that each connection is made with the files as they are then: a certificate that was renewed needs no restart.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from socket import socket

from program import logs
from program.settings import ConfigError

_log = logs.get(__name__)


class TlsFiles:
    """Makes TLS connections with what the files of the settings hold; with what they held before while they do not fit each other.

    It stands where paho wants an `ssl.SSLContext`, of which paho uses these two names.
    """

    check_hostname = True

    def __init__(
        self, section: str, authority: Path, certificate: Path | None, key: Path | None, connection: type[ssl.SSLSocket] = ssl.SSLSocket
    ) -> None:
        """The files are those of tls_ca, tls_certificate and tls_key of a section; `connection` is what is made of a socket.

        Raises ConfigError for files that are no certificate, or no key of it.
        """
        self._section, self._authority, self._certificate, self._key = section, authority, certificate, key
        self._connection = connection
        self._last = self._read()

    def wrap_socket(self, connection: socket, server_hostname: str | None = None, *, do_handshake_on_connect: bool = True) -> ssl.SSLSocket:
        self._read_anew()
        return self._last.wrap_socket(connection, server_hostname=server_hostname, do_handshake_on_connect=do_handshake_on_connect)

    def _read_anew(self) -> None:
        """Keeps what was read before if it cannot: whoever renews a certificate writes it and its key one after the other."""
        try:
            self._last = self._read()
        except ConfigError as error:
            _log.error("%s; connecting with what was read before", error)

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.sslsocket_class = self._connection
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(str(self._authority))
        except (ssl.SSLError, OSError) as error:
            raise ConfigError(f"{self._section}.tls_ca {self._authority}: {error}") from error
        if self._certificate is None:
            return context
        try:
            context.load_cert_chain(str(self._certificate), str(self._key))
        except (ssl.SSLError, OSError) as error:
            files = f"{self._section}.tls_certificate {self._certificate} with {self._section}.tls_key {self._key}"
            raise ConfigError(f"{files}: {error}") from error
        return context
