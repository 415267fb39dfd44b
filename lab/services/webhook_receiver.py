"""Runs a webhook on this machine that keeps every alert it receives, as a person's device would: the notifier's other end.

The system under test is not asked: what is here was delivered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from types import TracebackType

from lab.services.http_server import serving
from schemas.notification import MAX_BYTES, NotificationError, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedAlert:
    """Holds one notification of an alert, and when it was delivered."""

    received: datetime
    event_time: datetime
    severity: str
    rule: str
    state: str
    subject: str
    message: str
    time_zone: str | None = None
    """Of the alert's site, by its IANA name; None for UTC."""


class WebhookReceiver:
    """Runs a webhook as a context manager: `with WebhookReceiver() as receiver: post_to(receiver.url)`."""

    def __init__(self, on_alert: Callable[[ReceivedAlert], None] = lambda _: None) -> None:
        """`on_alert` is called for each alert, in a thread of the server."""
        self._alerts: list[ReceivedAlert] = []
        self._lock = threading.Lock()
        self._on_alert = on_alert
        self._serving = serving(self._handler())
        self.url = ""

    def __enter__(self) -> WebhookReceiver:
        self.url = f"http://127.0.0.1:{self._serving.__enter__()}/alerts"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._serving.__exit__(kind, error, trace)

    def alerts(self) -> tuple[ReceivedAlert, ...]:
        """Returns the alerts so far, in the order of their arrival."""
        with self._lock:
            return tuple(self._alerts)

    def receive(self, body: bytes) -> None:
        """Keeps the alert of a request's body. Raises NotificationError."""
        row = parse(body)
        alert = ReceivedAlert(
            received=datetime.now(UTC),
            event_time=row.event_time,
            severity=row.severity,
            rule=row.rule,
            state=row.state,
            subject=row.subject,
            message=row.message,
            time_zone=row.time_zone,
        )
        with self._lock:
            self._alerts.append(alert)
        self._on_alert(alert)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                try:
                    receiver.receive(self.rfile.read(min(int(self.headers["Content-Length"]), MAX_BYTES)))
                except NotificationError as error:
                    self.send_error(400, str(error))
                    return
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it
                """Logs nothing: the lab's console shows the alerts."""

        return Handler
