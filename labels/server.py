"""Serves the links of notices: GET asks whether that is what is meant, POST keeps the answer. Behind any proxy, or by itself over TLS.

Guarantees that only a link of the key's notifier, before its expiry, is taken; that looking at it says nothing; and that what was thanked
for is kept.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from google.api_core.exceptions import GoogleAPICallError

from labels import pages
from labels.said import LabelError, answered, millimetres
from labels.stores import Store
from program import logs
from program.bounded_server import SECONDS, BoundedServer
from schemas.answers import AnswerLink, LinkError, opened

_MOST_FORM_BYTES = 1000
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_log = logs.get(__name__)


def answer_server(
    store: Store, key: bytes, address: tuple[str, int], now: Callable[[], datetime], context: ssl.SSLContext | None = None
) -> BoundedServer:
    """Returns a server of the links that the key has made. Raises OSError for the address."""

    class Handler(_Handler):
        _store, _key, _now = store, key, staticmethod(now)

    return BoundedServer(address, Handler, context)


class _Handler(BaseHTTPRequestHandler):
    _store: Store
    _key: bytes
    _now: Callable[[], datetime]
    timeout = SECONDS

    def do_GET(self) -> None:
        try:
            self._answer(HTTPStatus.OK, pages.confirm(self._link()))
        except LinkError as error:
            self._refuse(HTTPStatus.FORBIDDEN, error)

    def do_POST(self) -> None:
        try:
            link = self._link()
            form = self._form()
            amount = millimetres(form["amount"]) if "amount" in form else None
            label = answered(link, amount=amount, by=form.get("by"), now=self._now())
            self._store.add([label])
        except LinkError as error:
            self._refuse(HTTPStatus.FORBIDDEN, error)
        except LabelError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, error)
        except (OSError, GoogleAPICallError) as error:
            _log.error("an answer could not be kept: %s", error)
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, pages.refusal("It could not be noted just now. Please try again later."))
        else:
            _log.info("%s: %s", link.alert_id, link.answer)
            self._answer(HTTPStatus.OK, pages.thanks(link))

    def _link(self) -> AnswerLink:
        """Reads the last part of the path; what is before it is the proxy's. Raises LinkError."""
        return opened(self.path.partition("?")[0].rpartition("/")[2], self._key, self._now())

    def _form(self) -> dict[str, str]:
        """Reads the fields of the form that are filled. Raises LabelError."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MOST_FORM_BYTES:
            raise LabelError(f"a form has at most {_MOST_FORM_BYTES} bytes")
        form = parse_qs(self.rfile.read(int(length)).decode("ascii", "replace"))
        return {name: values[0].strip() for name, values in form.items() if values[0].strip()}

    def _refuse(self, status: HTTPStatus, error: Exception) -> None:
        _log.warning("%s: refused: %s", self.client_address[0], error)
        self._answer(status, pages.refusal(str(error)))

    def _answer(self, status: HTTPStatus, page: str) -> None:
        body = page.encode()
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Says nothing: a link's token is in the request line, and is for nobody else."""
