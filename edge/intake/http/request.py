"""Reads the requests of one connection and answers each with a status and one sentence as JSON. Bounded in bytes and in time."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from edge.intake.http.admission import Admission, Head
from edge.intake.http.refusal import Refused
from edge.intake.reader import MqttMessage
from edge.serving.requests import BoundedRequests

BODY_SECONDS = 10.0
_SLOWEST_BYTES_PER_SECOND = 1000
"""A body may take so much longer than BODY_SECONDS: a modem is slow, and its sender is known by then."""


class Taker(Protocol):
    """Takes what was posted: what a request needs of edge.intake.http.intake.HttpIntake."""

    def check_room(self) -> None:
        """Raises Refused if nothing can be stored now."""
        ...

    def take(self, message: MqttMessage) -> None:
        """Returns once it is stored. Raises Refused."""
        ...


class Answers:
    """Counts answers by status, from any thread."""

    def __init__(self) -> None:
        self._lock, self._by_status = threading.Lock(), Counter[int]()

    def count(self, status: int) -> None:
        with self._lock:
            self._by_status[status] += 1

    @property
    def by_status(self) -> Mapping[int, int]:
        with self._lock:
            return dict(self._by_status)


class Service:
    """Holds what every request needs: who may post, who takes it, and the count of answers."""

    def __init__(self, admission: Admission, taker: Taker) -> None:
        self.admission, self.taker, self.answers = admission, taker, Answers()

    def serve(self, connection: socket.socket, address: str) -> None:
        """Serves a connection until it ends."""
        Requests(connection, (address, 0), self)  # type: ignore[arg-type]


class Requests(BoundedRequests):
    """Is a connection with its requests."""

    server: Service  # type: ignore[assignment]

    def do_POST(self) -> None:  # noqa: N802 - the name is the library's
        try:
            admitted = self.server.admission.of(self._head())
            self.server.taker.check_room()
            body = self._body(admitted.length)
            self.server.taker.take(MqttMessage(admitted.topic, body))
        except Refused as refused:
            self._answer(refused.status, {"error": str(refused)}, refused.headers)
        else:
            self._answer(200, {"status": "stored"}, {})

    def do_GET(self) -> None:  # noqa: N802 - the name is the library's
        self._answer(405, {"error": "readings are posted: use POST"}, {"Allow": "POST"})

    def handle_expect_100(self) -> bool:
        """Says nothing yet: who is refused need not send a body."""
        return True

    def refuse(self, status: int, sentence: str) -> None:
        self._answer(status, {"error": sentence}, {})

    def _head(self) -> Head:
        names = _names(self.connection.getpeercert() or {}) if isinstance(self.connection, ssl.SSLSocket) else []
        return Head(self.path, {name.lower(): value for name, value in self.headers.items()}, names)

    def _body(self, length: int) -> bytes:
        """Raises Refused with 408 for a sender that trickles, 400 for one that is gone."""
        if self.headers.get("expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        self.timed.allow(BODY_SECONDS + length / _SLOWEST_BYTES_PER_SECOND, length)
        try:
            body = self.rfile.read(length) if length else b""
        except TimeoutError as late:
            raise Refused(408, "the body took too long") from late
        if len(body) < length:
            raise Refused(400, f"the body has {len(body)} bytes, and its Content-Length is {length}")
        return body

    def _answer(self, status: int, content: Mapping[str, str], headers: Mapping[str, str]) -> None:
        self.server.answers.count(status)
        self.answer(status, {"Content-Type": "application/json"} | dict(headers), json.dumps(content).encode() + b"\n")


def _names(certificate: Mapping[str, Any]) -> list[str]:
    """Returns the common name of a certificate, and the names that it has besides."""
    subject = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
    others = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
    return list(dict.fromkeys([*subject, *others]))
