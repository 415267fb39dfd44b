"""Reads the requests of one connection, one after the other: bounded in bytes and in time, whoever sends them."""

from __future__ import annotations

import http
import io
import socket
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from edge.serving.timed_reader import TimedReader, TooMany

HEAD_SECONDS, IDLE_SECONDS, ANSWER_SECONDS = 10.0, 30.0, 10.0
_HEAD_BYTES, _BUFFER_BYTES = 16_384, 4096
_LINGER_SECONDS, _LINGER_BYTES = 1.0, 262_144


class BoundedRequests(BaseHTTPRequestHandler):
    """Is a connection with its requests. The library parses them; nothing that it would wait for is without end."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.connection = self.request
        self.timed = TimedReader(self.connection)
        self.rfile = self._buffered = io.BufferedReader(self.timed, _BUFFER_BYTES)
        self.wfile = self.connection.makefile("wb")
        self._idle_seconds = HEAD_SECONDS
        self.command = self.path = self.requestline = ""
        self.request_version = self.protocol_version

    def handle_one_request(self) -> None:
        self.timed.allow(self._idle_seconds, _BUFFER_BYTES)
        self._idle_seconds = IDLE_SECONDS
        try:
            if not self._buffered.peek(1):
                self.close_connection = True
                return
            self.timed.allow(HEAD_SECONDS, _HEAD_BYTES - _BUFFER_BYTES)
            super().handle_one_request()
        except TooMany:
            self.send_error(431, f"the head of a request has at most {_HEAD_BYTES} bytes")
        except (OSError, ValueError):
            # Whoever was there is gone, or too slow.
            self.close_connection = True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self.refuse(code, message or explain or http.HTTPStatus(code).phrase)

    def refuse(self, status: int, sentence: str) -> None:
        """Answers by a sentence what is not served."""
        raise NotImplementedError

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Ends the connection with everything but a 200: what is left of the request is not read."""
        self.close_connection = self.close_connection or status != 200
        self.connection.settimeout(ANSWER_SECONDS)
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | dict(headers)).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        if status != 200:
            self._linger()

    def version_string(self) -> str:
        return "TinyBeam"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Requests are counted, not logged."""

    def _linger(self) -> None:
        """Reads on a little, so that the answer is not lost to a reset while the sender is still sending."""
        try:
            self.connection.shutdown(socket.SHUT_WR)
            self.timed.allow(_LINGER_SECONDS, _LINGER_BYTES)
            while self._buffered.read1(_BUFFER_BYTES):
                pass
        except OSError:
            return
