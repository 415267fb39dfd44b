"""Serves an authority over HTTPS: a certificate for a token, or for the certificate that it renews, and the list of revoked ones.

Guarantees that nobody holds it up: a connection has a thread, a deadline and a bound of bytes, and there are at most so many.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, cast

import msgspec
from cryptography import x509

from keys import pem, private_files
from keys.authority import Authority
from keys.error import KeysError
from keys.messages import ENROLL, MOST_BYTES, RENEW, REVOKED, Asked, Refusal, Signed
from program import logs
from program.bounded_server import SECONDS, BoundedServer, tls_context

_log = logs.get(__name__)


def authority_server(authority: Authority, context: ssl.SSLContext, address: tuple[str, int], now: Callable[[], datetime]) -> BoundedServer:
    """Returns a server whose clients may show certificates. Raises OSError for the address."""

    class Handler(_Handler):
        _authority, _now = authority, staticmethod(now)

    return BoundedServer(address, Handler, context)


def mutual_context(identity: Path, trusted: Path) -> ssl.SSLContext:
    """Returns a context that shows `identity`, and lets in who shows nothing or what `trusted` has signed. Raises KeysError."""
    try:
        context = tls_context(identity)
        context.load_verify_locations(str(trusted))
    except OSError as error:
        raise KeysError(f"{identity} with {trusted} cannot be used: {error}") from error
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


class _Handler(BaseHTTPRequestHandler):
    _authority: Authority
    _now: Callable[[], datetime]
    timeout = SECONDS

    def do_GET(self) -> None:
        if self.path != REVOKED:
            self._refuse(HTTPStatus.NOT_FOUND, f"there are {ENROLL}, {RENEW} and {REVOKED}")
            return
        self._answer(HTTPStatus.OK, private_files.read(self._authority.revoked_file), "application/x-pem-file")

    def do_POST(self) -> None:
        try:
            chain = self._signed(self._asked())
        except KeysError as error:
            _log.warning("%s: refused: %s", self.client_address[0], error)
            self._refuse(HTTPStatus.FORBIDDEN, str(error))
            return
        _log.info("%s: a certificate for %s until %s", self.client_address[0], pem.common_name(chain[0]), chain[0].not_valid_after_utc)
        self._answer(HTTPStatus.OK, msgspec.json.encode(Signed(pem.of_chain(chain).decode())), "application/json")

    def _asked(self) -> Asked:
        """Reads what is asked, within bounds. Raises KeysError."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            raise KeysError(f"a message has a length, at most {MOST_BYTES} bytes")
        try:
            return msgspec.json.decode(self.rfile.read(int(length)), type=Asked)
        except msgspec.MsgspecError as error:
            raise KeysError(f"the message is none of a holder: {error}") from error

    def _signed(self, asked: Asked) -> list[x509.Certificate]:
        request = pem.request(asked.request.encode(), Path("request"))
        if self.path == ENROLL:
            return self._authority.enroll(asked.token, request, self._now())
        if self.path != RENEW:
            raise KeysError(f"there are {ENROLL}, {RENEW} and {REVOKED}")
        shown = cast("ssl.SSLSocket", self.connection).getpeercert()
        if not shown:
            raise KeysError("to renew a certificate is to show it")
        return self._authority.renew(int(str(shown["serialNumber"]), 16), request, self._now())

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        self._answer(status, msgspec.json.encode(Refusal(sentence)), "application/json")

    def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Says nothing: what matters is logged above, and a request line may be anything."""
