"""A real mail server, with TLS and without, that refuses recipients, passwords or everything."""

from __future__ import annotations

import email
import email.policy
import logging
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from lab.services.child import free_port
from notify.notice import Notice
from notify.receivers.mail import Mail, MailSettings
from notify.receivers.receiver import ReceiverError
from program.settings import Secret
from tests.notify.alerts import alert


class Mailbox:
    """A mail server's memory. It refuses recipients of `refused`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refused = "nobody@example.com"
        self.encrypted: list[bool] = []

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address == self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.encrypted.append(session.ssl is not None)
        return "250 OK"


def _authenticate(server: SMTP, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"farmer", b"secret"), handled=False)


@contextmanager
def mail_server(mailbox: Mailbox, **settings: Any) -> Iterator[int]:
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **settings)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """Who is trusted, and the server's side."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return tmp_path / "ca.pem", context


def mail(port: int, *recipients: str, **changes: Any) -> Mail:
    to = recipients or ("farmer@example.com",)
    return MailSettings(name="farmer", host="127.0.0.1", sender="tinybeam@example.com", recipients=to, port=port, **changes).open()


def test_a_mail_says_what_happened_and_keeps_its_name_when_it_comes_again() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        for _ in range(2):
            mail(port, "farmer@example.com", "office@example.com", starttls=False).send(Notice((alert(),)))
        mail(port, starttls=False).send(Notice((alert(revision=1),)))
    first, again, other = mailbox.mails
    assert (first["Subject"], first["To"]) == (
        "Warning: Norderfeld ist trocken: größte Not",
        "farmer@example.com, office@example.com",
    )
    assert first.get_content().splitlines()[0] == "Warning: Norderfeld ist trocken: größte Not"
    assert first.get_content().splitlines()[-1] == f"alert {alert().alert_id}"
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert re.fullmatch(r"<[0-9a-f]{32}@example\.com>", first["Message-ID"])


def test_starttls_and_a_password_are_used_when_they_are_set(tls: tuple[Path, ssl.SSLContext]) -> None:
    mailbox, (ca, context) = Mailbox(), tls
    server = {"tls_context": context, "require_starttls": True, "authenticator": _authenticate, "auth_required": True}
    with mail_server(mailbox, **server) as port:
        mail(port, user="farmer", password=Secret("secret"), tls_ca=ca).send(Notice((alert(),)))
        with pytest.raises(ReceiverError, match="535") as refused:
            mail(port, user="farmer", password=Secret("wrong-password"), tls_ca=ca).send(Notice((alert(),)))
        with pytest.raises(ReceiverError, match="CERTIFICATE_VERIFY_FAILED"):
            mail(port, user="farmer", password=Secret("secret")).send(Notice((alert(),)))
    assert mailbox.encrypted == [True]
    assert "wrong-password" not in str(refused.value)


def test_a_server_without_starttls_gets_nothing() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port, pytest.raises(ReceiverError, match="STARTTLS"):
        mail(port).send(Notice((alert(),)))
    assert mailbox.mails == []


def test_a_recipient_that_is_refused_is_named_in_the_log_and_the_others_get_it(caplog: pytest.LogCaptureFixture) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port, caplog.at_level(logging.ERROR):
        mail(port, "farmer@example.com", "nobody@example.com", starttls=False).send(Notice((alert(),)))
        assert "refused nobody@example.com" in caplog.text
        with pytest.raises(ReceiverError, match="nobody"):
            mail(port, "nobody@example.com", starttls=False).send(Notice((alert(),)))
    assert len(mailbox.mails) == 1
