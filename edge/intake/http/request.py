"""Reads the requests of one connection and answers each with a status and one sentence as JSON. Bounded in bytes and in time."""

from __future__ import annotations

import http
import io
import json
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol

from edge.intake.http.admission import Admission, Head
from edge.intake.http.refusal import Refused
from edge.intake.http.timed_reader import TimedReader, TooMany
from edge.intake.reader import MqttMessage

HEAD_SECONDS, IDLE_SECONDS, BODY_SECONDS, ANSWER_SECONDS = 10.0, 30.0, 10.0, 10.0
_SLOWEST_BYTES_PER_SECOND = 1000
"""A body may take so much longer than BODY_SECONDS: a modem is slow, and its sender is known by then."""
_HEAD_BYTES, _BUFFER_BYTES = 16_384, 4096
_LINGER_SECONDS, _LINGER_BYTES = 1.0, 262_144


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


class Requests(BaseHTTPRequestHandler):
    """Is a connection with its requests, one after the other. The library parses them; nothing that it would wait for is without end."""

    protocol_version = "HTTP/1.1"
    server: Service  # type: ignore[assignment]

    def setup(self) -> None:
        self.connection = self.request
        self._timed = TimedReader(self.connection)
        self.rfile = self._buffered = io.BufferedReader(self._timed, _BUFFER_BYTES)
        self.wfile = self.connection.makefile("wb")
        self._idle_seconds = HEAD_SECONDS
        self.command = self.path = self.requestline = ""
        self.request_version = self.protocol_version

    def handle_one_request(self) -> None:
        self._timed.allow(self._idle_seconds, _BUFFER_BYTES)
        self._idle_seconds = IDLE_SECONDS
        try:
            if not self._buffered.peek(1):
                self.close_connection = True
                return
            self._timed.allow(HEAD_SECONDS, _HEAD_BYTES - _BUFFER_BYTES)
            super().handle_one_request()
        except TooMany:
            self.send_error(431, f"the head of a request has at most {_HEAD_BYTES} bytes")
        except (OSError, ValueError):
            # Whoever was there is gone, or too slow.
            self.close_connection = True

    def do_POST(self) -> None:
        try:
            admitted = self.server.admission.of(self._head())
            self.server.taker.check_room()
            body = self._body(admitted.length)
            self.server.taker.take(MqttMessage(admitted.topic, body))
        except Refused as refused:
            self._answer(refused.status, {"error": str(refused)}, refused.headers)
        else:
            self._answer(200, {"status": "stored"}, {})

    def do_GET(self) -> None:
        self._answer(405, {"error": "readings are posted: use POST"}, {"Allow": "POST"})

    def handle_expect_100(self) -> bool:
        """Says nothing yet: who is refused need not send a body."""
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self._answer(code, {"error": message or explain or http.HTTPStatus(code).phrase}, {})

    def version_string(self) -> str:
        return "TinyBeam"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Requests are counted, not logged."""

    def _head(self) -> Head:
        names = _names(self.connection.getpeercert() or {}) if isinstance(self.connection, ssl.SSLSocket) else []
        return Head(self.path, {name.lower(): value for name, value in self.headers.items()}, names)

    def _body(self, length: int) -> bytes:
        """Raises Refused with 408 for a sender that trickles, 400 for one that is gone."""
        if self.headers.get("expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        self._timed.allow(BODY_SECONDS + length / _SLOWEST_BYTES_PER_SECOND, length)
        try:
            body = self.rfile.read(length) if length else b""
        except TimeoutError as late:
            raise Refused(408, "the body took too long") from late
        if len(body) < length:
            raise Refused(400, f"the body has {len(body)} bytes, and its Content-Length is {length}")
        return body

    def _answer(self, status: int, content: Mapping[str, str], headers: Mapping[str, str]) -> None:
        """Ends the connection with every refusal: what is left of the request is not read."""
        self.server.answers.count(status)
        body = json.dumps(content).encode() + b"\n"
        self.close_connection = self.close_connection or status != 200
        self.connection.settimeout(ANSWER_SECONDS)
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json", "Content-Length": str(len(body))} | dict(headers)).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        if status != 200:
            self._linger()

    def _linger(self) -> None:
        """Reads on a little, so that the answer is not lost to a reset while the sender is still sending."""
        try:
            self.connection.shutdown(socket.SHUT_WR)
            self._timed.allow(_LINGER_SECONDS, _LINGER_BYTES)
            while self._buffered.read1(_BUFFER_BYTES):
                pass
        except OSError:
            return


def _names(certificate: Mapping[str, Any]) -> list[str]:
    """Returns the common name of a certificate, and the names that it has besides."""
    subject = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
    others = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
    return list(dict.fromkeys([*subject, *others]))
