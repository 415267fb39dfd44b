"""Asks the authority's server for certificates, over HTTPS; the server is verified always."""

from __future__ import annotations

import ssl
from contextlib import closing
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from cryptography import x509

from keys import pem
from keys.error import KeysError
from keys.messages import ENROLL, MOST_BYTES, RENEW, Asked, Refusal, Signed

_SECONDS = 20.0


class Client:
    """Knows the server by its address, `https://HOST:PORT`, and by the authority that it trusts."""

    def __init__(self, server: str, authority: Path) -> None:
        """Raises KeysError for an address that is none, and for a file that holds no authority."""
        self._address, self.server, self._authority = _address(server), server, authority
        self._context()

    def enroll(self, token: str, request: x509.CertificateSigningRequest) -> list[x509.Certificate]:
        """Raises KeysError."""
        return self._post(ENROLL, Asked(pem.of_request(request).decode(), token), self._context())

    def renew(self, identity: Path, request: x509.CertificateSigningRequest) -> list[x509.Certificate]:
        """`identity` is the file that holds the present certificate and its key. Raises KeysError."""
        return self._post(RENEW, Asked(pem.of_request(request).decode()), self._context(identity))

    def _post(self, path: str, asked: Asked, context: ssl.SSLContext) -> list[x509.Certificate]:
        try:
            with closing(HTTPSConnection(*self._address, timeout=_SECONDS, context=context)) as connection:
                connection.request("POST", path, msgspec.json.encode(asked), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                status, body = answer.status, answer.read(MOST_BYTES)
        except (OSError, HTTPException) as error:
            raise KeysError(f"{self.server} cannot be asked: {error or type(error).__name__}") from error
        try:
            if status == 200:
                return pem.chain(msgspec.json.decode(body, type=Signed).certificates.encode(), Path(self.server))
            sentence = msgspec.json.decode(body, type=Refusal).error
        except msgspec.MsgspecError:
            sentence = f"it answers by {status}, and not as an authority does"
        raise KeysError(f"{self.server} refuses: {sentence}")

    def _context(self, identity: Path | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(str(self._authority))
            if identity:
                context.load_cert_chain(str(identity))
        except (ssl.SSLError, OSError) as error:
            raise KeysError(f"{identity or self._authority} cannot be used: {error}") from error
        return context


def _address(server: str) -> tuple[str, int]:
    """Returns host and port. What is refused is not shown: it may hold a password."""
    try:
        parts = urlsplit(server)
        port = parts.port or 443
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.username:
        raise KeysError("the server's address is not like https://HOST:PORT, with nothing before the host and behind the port")
    return parts.hostname, port
