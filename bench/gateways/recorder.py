"""Runs as the output of a gateway: `python -m bench.gateways.recorder WEB_PORT PUBSUB_PORT FOLDER`. Killed, the output is down.

Writes each HTTP body to web.jsonl and each Pub/Sub message to pubsub.jsonl before it answers.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import grpc
from google.pubsub_v1.types import PublishRequest

from bench.publish_service import publish_service

WEB, PUBSUB = "web.jsonl", "pubsub.jsonl"
_LOCK = Lock()


def _note(file: BinaryIO, item: object) -> None:
    with _LOCK:
        file.write(json.dumps(item).encode() + b"\n")


def _web(port: int, file: BinaryIO) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            _note(file, self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Requests are not logged."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _pubsub(port: int, file: BinaryIO) -> grpc.Server:
    def note(request: PublishRequest) -> None:
        for message in request.messages:
            _note(file, [dict(message.attributes), b64encode(message.data).decode()])

    server, _ = publish_service(note, port)
    return server


def main(web: int, pubsub: int, folder: Path) -> None:
    with (folder / WEB).open("ab", buffering=0) as web_file, (folder / PUBSUB).open("ab", buffering=0) as pubsub_file:
        server = _pubsub(pubsub, pubsub_file)
        server.start()
        _web(web, web_file).serve_forever()
        server.stop(None)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
