"""Alerts, configurations and receivers for the notifier's tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from lab.services.http_server import serving
from notify.config import Config, parse
from schemas.notification import encode
from schemas.records import Alert

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SUBSCRIPTION = "projects/demo-project/subscriptions/notify"
TOPIC = "projects/demo-project/topics/alerts"


def alert(number: int = 1, revision: int = 0, **changes: Any) -> Alert:
    """Different alerts of one rule and site."""
    state = "opened" if revision == 0 else "resolved"
    opened = Alert(
        alert_id=f"dry:d{number}:1777636800000000",
        rule="dry",
        source="event",
        subject=f"d{number}",
        site_id="north",
        device_id=f"d{number}",
        severity="warning",
        state=state,
        opened_time=NOW,
        event_time=NOW,
        value=0.1,
        threshold=0.15,
        message="Norderfeld ist trocken: größte Not",
        historical=False,
        revision=revision,
        as_of=NOW,
    )
    return replace(opened, **changes)


def body(alert: Alert) -> bytes:
    return encode(alert)[1]


def settings(**sections: Any) -> dict[str, Any]:
    minimal = {
        "pubsub": {"subscription": SUBSCRIPTION},
        "notify": {"state_file": "sent.db"},
        "routes": [{"receivers": ["stdout"]}],
    }
    return minimal | sections


def config(folder: Path, **sections: Any) -> Config:
    return parse(settings(**sections), folder / "notify.toml")


@dataclass
class Hook:
    """A webhook that answers with the next of `answers`, then 204."""

    answers: list[int] = field(default_factory=list)
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    """Headers and content of those it took."""
    url: str = ""
    location: str = "http://127.0.0.1:1/"
    """Where a redirection leads to."""
    knocks: int = 0
    """Requests that came by a redirection."""
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def received(self) -> list[tuple[str, int]]:
        """Alert and revision of each notification."""
        return [(content["alert_id"], content["revision"]) for _, content in self.requests]

    @contextmanager
    def listening(self, port: int = 0) -> Iterator[Hook]:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = hook.answers.pop(0) if hook.answers else 204
                if answer < 300:
                    hook.requests.append((dict(self.headers), content))
                self.send_response(answer)
                if answer == 302:
                    self.send_header("Location", hook.location)
                self.end_headers()
                hook.arrived.release()

            def do_GET(self) -> None:
                hook.knocks += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        with serving(Handler, port) as at:
            self.url = f"http://127.0.0.1:{at}/hook"
            yield self
