"""The farmer's phone: a webhook on this machine that keeps every notice it is given, as the notifier's receiver would.

Nothing of the system under test is asked: what is here was delivered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from lab.console import Console
from schemas.notification import MAX_BYTES, NotificationError, parse


@dataclass(frozen=True, slots=True)
class Told:
    """A notice, and when it was on the phone."""

    received: datetime
    event_time: datetime
    severity: str
    rule: str
    state: str
    subject: str
    message: str


class WebhookReceiver:
    """A context manager. `url` is where notices are POSTed to."""

    def __init__(self, hear: Callable[[Told], None] = lambda _: None) -> None:
        """`hear` is called for each notice, in a thread of the server."""
        self._told: list[Told] = []
        self._lock = threading.Lock()
        self._hear = hear
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/notices"

    def __enter__(self) -> WebhookReceiver:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="phone", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10.0)

    def told(self) -> tuple[Told, ...]:
        """In the order of their arrival."""
        with self._lock:
            return tuple(self._told)

    def take(self, body: bytes) -> None:
        """Raises NoticeError."""
        alert = parse(body)
        told = Told(datetime.now(UTC), alert.event_time, alert.severity, alert.rule, alert.state, alert.subject, alert.message)
        with self._lock:
            self._told.append(told)
        self._hear(told)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        phone = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                try:
                    phone.take(self.rfile.read(min(int(self.headers["Content-Length"]), MAX_BYTES)))
                except NotificationError as error:
                    self.send_error(400, str(error))
                    return
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it
                """The lab's screen says what came."""

        return Handler


@dataclass(slots=True)
class Ringing:
    """Says on the screen what came to the phone since it was asked last."""

    phone: WebhookReceiver
    screen: Console
    heard: int = 0

    def say(self) -> None:
        told = self.phone.told()
        for one in told[self.heard :]:
            self.screen.say(f"the farmer's phone: {one.message}" + (" (over)" if one.state == "resolved" else ""))
        self.heard = len(told)
