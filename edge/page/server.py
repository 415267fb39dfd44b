"""Serves the page to whoever may look: by password, or on this machine alone. It changes nothing, and keeps nobody's address."""

from __future__ import annotations

import hmac
import ipaddress
import socket
import time
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib.resources import files

from edge.page import html
from edge.password import password
from edge.serving.requests import BoundedRequests
from edge.serving.server import Endpoint, Server
from edge.serving.server_tls import ServerTls
from edge.settings.page import PageSettings
from program.settings import require

LEAST_CHARACTERS = 8
WRONG_PASSWORD_SECONDS = 1.0
"""Whoever gives a wrong password waits so long, and nobody has more than `_PER_ADDRESS` tries at a time."""
_CONNECTIONS, _PER_ADDRESS = 16, 4
_TEXT, _PAGE = "text/plain; charset=utf-8", "text/html; charset=utf-8"
_STATIC = {"/page.css": "text/css; charset=utf-8", "/page.js": "text/javascript; charset=utf-8"}
_SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PageServer:
    """Listens from its making, serves from `start` to `stop`."""

    def __init__(self, settings: PageSettings, gateway: str, content: Callable[[], str]) -> None:
        """`content` is asked by each look, in a thread of its own. Raises ConfigError, OSError for the address."""
        self.gateway, self.content = gateway, content
        self._password = password_of(settings)
        self._static = {path: (files(__package__) / path[1:]).read_bytes() for path in _STATIC}
        endpoint = Endpoint("page", settings.host, settings.port, _CONNECTIONS, _PER_ADDRESS)
        tls = ServerTls(settings.tls_files) if settings.tls_files else None
        self._server = Server(endpoint, tls, self._serve)

    @property
    def port(self) -> int:
        return self._server.port

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def may_look(self, headers: Mapping[str, str]) -> bool:
        """Says whether a request has the password; without one, whether it was sent to this machine by its name.

        Else a page of somebody else's, whose name is made to lead here, could read this one in a browser on this machine.
        """
        if self._password is None:
            return _is_this_machine(headers.get("host", ""))
        return hmac.compare_digest(_digest(_given(headers.get("authorization", ""))), _digest(self._password))

    @property
    def has_password(self) -> bool:
        return self._password is not None

    def static(self, path: str) -> tuple[str, bytes] | None:
        """Returns type and bytes of a file of the page."""
        return (_STATIC[path], self._static[path]) if path in self._static else None

    def _serve(self, connection: socket.socket, address: str) -> None:
        _Looks(connection, (address, 0), self)  # type: ignore[arg-type]


class _Looks(BoundedRequests):
    """Is a connection of somebody who looks."""

    server: PageServer  # type: ignore[assignment]

    def do_GET(self) -> None:  # noqa: N802 - the name is the library's
        if not self.server.may_look({name.lower(): value for name, value in self.headers.items()}):
            self._turn_away()
            return
        path = self.path.split("?", 1)[0]
        if static := self.server.static(path):
            self._give(*static)
        elif path == "/now":
            self._give(_PAGE, self.server.content().encode())
        elif path == "/":
            self._give(_PAGE, html.document(self.server.gateway, self.server.content()).encode())
        else:
            self.refuse(404, "the page is at /")

    def refuse(self, status: int, sentence: str) -> None:
        self.answer(status, _SAFE | {"Content-Type": _TEXT}, f"{sentence}\n".encode())

    def _turn_away(self) -> None:
        if not self.server.has_password:
            self.refuse(403, "without a password the page is for this machine alone: open http://localhost, or set page.password_file")
            return
        if self.headers.get("authorization"):
            time.sleep(WRONG_PASSWORD_SECONDS)
        asks = {"WWW-Authenticate": 'Basic realm="the password of this gateway\'s page; any user", charset="UTF-8"'}
        self.answer(401, _SAFE | asks | {"Content-Type": _TEXT}, b"this page asks for the password of page.password_file\n")

    def _give(self, kind: str, body: bytes) -> None:
        self.answer(200, _SAFE | {"Content-Type": kind}, body)


def password_of(settings: PageSettings) -> str | None:
    """Returns the password, None if the page has none. Raises ConfigError."""
    text = password("page.password_file", settings.password_file)
    is_long = text is None or len(text) >= LEAST_CHARACTERS
    require(is_long, f"page.password_file {settings.password_file}: a password has at least {LEAST_CHARACTERS} characters")
    return text


def _given(authorization: str) -> str:
    """Returns the password of a header for HTTP Basic, whatever its user; nothing of any other."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return b64decode(encoded.strip(), validate=True).decode().partition(":")[2]
    except (NotBase64, ValueError):
        return ""


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _is_this_machine(host: str) -> bool:
    """Says whether the Host of a request is this machine by name or address, with a port or without."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
