"""Whether a gateway may publish is asked of Google without sending: a stand-in on this machine answers."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler

import pytest

from edge.uplink.access import AccessFailed, Headers
from edge.uplink.rights import of_publishing
from lab.services.child import free_port
from lab.services.http_server import serving
from schemas.records import LinkState

TOPIC = "projects/demo-project/topics/telemetry"


class AccessTwin:
    """Gives headers, or fails."""

    def __init__(self, fault: Exception | None = None) -> None:
        self._fault = fault

    def headers(self) -> Headers:
        if self._fault:
            raise self._fault
        return (("authorization", "Bearer token"),)


def answered(status: int, body: bytes, asked: list[tuple[str, str | None, object]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append((self.path, self.headers["authorization"], content))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Says nothing."""

    return Handler


@pytest.mark.parametrize(
    ("status", "body", "result", "sentence"),
    [
        (200, b'{"permissions": ["pubsub.topics.publish"]}', "ok", f"may publish to {TOPIC}"),
        (200, b"{}", "fail", f"may not publish to {TOPIC}, or there is no such topic"),
        (401, b'{"error": {"code": 401}}', "fail", "answer 401"),
        (503, b"<html>", "warn", "cannot be asked now"),
    ],
)
def test_the_answer_of_google_becomes_a_finding(status: int, body: bytes, result: str, sentence: str) -> None:
    asked: list[tuple[str, str | None, object]] = []
    with serving(answered(status, body, asked)) as port:
        finding = of_publishing(TOPIC, AccessTwin(), HTTPConnection("127.0.0.1", port, timeout=10))
    assert (finding.status, sentence in finding.text) == (result, True)
    assert asked == [(f"/v1/{TOPIC}:testIamPermissions", "Bearer token", {"permissions": ["pubsub.topics.publish"]})]


@pytest.mark.parametrize("state", [LinkState.CERT_EXPIRED, LinkState.REFUSED, LinkState.CLOCK_WRONG])
def test_who_is_not_let_in_is_no_gateway_that_is_offline(state: LinkState) -> None:
    finding = of_publishing(TOPIC, AccessTwin(AccessFailed("the reason", state)), HTTPConnection("127.0.0.1", free_port(), timeout=10))
    assert (finding.status, finding.text) == ("fail", f"{state}: the reason")
    assert finding.advice


@pytest.mark.parametrize("fault", [None, AccessFailed("no token")])
def test_what_cannot_be_asked_now_is_a_warning(fault: Exception | None) -> None:
    assert of_publishing(TOPIC, AccessTwin(fault), HTTPConnection("127.0.0.1", free_port(), timeout=10)).status == "warn"
