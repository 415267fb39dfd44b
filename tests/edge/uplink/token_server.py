"""Stands in for the token service of Google: mutual TLS, a token for a certificate of the farm's authority, and its words of refusal."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socket import SHUT_WR, socket
from typing import cast

import trustme
from cryptography import x509

from keys import pem
from lab.services.http_server import serving
from tests.edge.uplink.federation import FEDERATION

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL."""


@dataclass
class TokenService:
    """`looks_at_dates` in the handshake, and breaks off, or takes the certificate and answers. Which of both Google does is not known."""

    authority: Path
    looks_at_dates: bool = True
    revoked: set[str] = field(default_factory=set)
    """Serial numbers as Terraform's `revoked` has them."""
    asked: list[str] = field(default_factory=list)
    """The common names of who asked."""

    def answer(self, shown: x509.Certificate) -> tuple[int, dict[str, object]]:
        self.asked.append(pem.common_name(shown))
        if f"{shown.serial_number:X}" in self.revoked:
            return _refusal("The given credential is rejected by the attribute condition.")
        if not shown.not_valid_before_utc <= datetime.now(UTC) <= shown.not_valid_after_utc:
            return _refusal("The certificate is not valid now.")
        return 200, {"access_token": f"token of {pem.common_name(shown)}", "token_type": "Bearer", "expires_in": 3600}


def _refusal(description: str) -> tuple[int, dict[str, object]]:
    return 400, {"error": "unauthorized_client", "error_description": description}


@contextmanager
def served(service: TokenService, google: trustme.CA) -> Iterator[int]:
    """Serves with a certificate of `google`. Yields the port."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def setup(self) -> None:
            # Not where connections are accepted: a handshake that is broken off must end nothing but itself.
            self.request = context.wrap_socket(cast("socket", self.request), server_side=True, do_handshake_on_connect=False)
            super().setup()

        def handle(self) -> None:
            try:
                self.request.do_handshake()
            except ssl.SSLError:
                # An alert is lost if the connection is closed while something of the client's is unread.
                with suppress(OSError):
                    self.request.shutdown(SHUT_WR)
                    while socket.recv(self.request, 4096):
                        pass
                return
            super().handle()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            shown = x509.load_der_x509_certificate(self.request.getpeercert(binary_form=True))
            status, content = service.answer(shown)
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Says nothing."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(str(service.authority))
    if not service.looks_at_dates:
        context.verify_flags |= _NO_CHECK_TIME
    google.issue_cert("localhost").configure_cert(context)
    with serving(Handler) as port:
        yield port


def credentials(folder: Path, identity: Path, port: int) -> Path:
    """Writes what Terraform's output `credentials` says, with this service in Google's place, and the file that names the certificate."""
    configuration = folder / "certificate.json"
    configuration.write_text(json.dumps({"cert_configs": {"workload": {"cert_path": str(identity), "key_path": str(identity)}}}))
    content = FEDERATION | {
        "subject_token_type": "urn:ietf:params:oauth:token-type:mtls",
        "token_url": f"https://localhost:{port}/v1/token",
        "credential_source": {"certificate": {"certificate_config_location": str(configuration)}},
    }
    file = folder / "google.json"
    file.write_text(json.dumps(content))
    return file
