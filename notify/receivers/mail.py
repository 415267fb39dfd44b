"""A mail server takes the notice as one mail to all recipients. Its `Message-ID` is the same when it comes again."""

from __future__ import annotations

import hashlib
import smtplib
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, field

from notify import wording
from notify.notice import Notice
from notify.receivers.receiver import ReceiverError, demand_file, verifying_context
from program import logs
from program.names import Name
from program.settings import Secret, Settings, is_local, require, setting

_log = logs.get(__name__)


Address = Annotated[str, Meta(pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$", extra={"form": "a mail address"})]


class MailSettings(Settings, frozen=True, kw_only=True, tag_field="kind", tag="mail"):
    """Sends a mail to all recipients; it counts as sent when the server took it for at least one."""

    name: Annotated[Name, setting("Name of the receiver, for routes", example="farmer")]
    host: Annotated[str, setting("Name or address of the mail server", example="smtp.example.com")]
    sender: Annotated[Address, setting("Who the mail is from", example="tinybeam@example.com")]
    recipients: Annotated[tuple[Address, ...], setting("Who the mail is to", min_length=1, example=["farmer@example.com"])]
    port: Annotated[int, setting("Port of the mail server", ge=1, le=65_535)] = 587
    starttls: Annotated[bool, setting("Whether the connection is encrypted; false for this machine only")] = True
    user: Annotated[str, setting("User at the mail server. Empty: none is needed")] = ""
    password: Annotated[Secret, setting("Password of the user", example="${SMTP_PASSWORD}")] = field(default_factory=Secret)
    timeout_seconds: Annotated[float, setting("Longest wait for an answer", ge=0.1, le=300)] = 30.0
    tls_ca: Annotated[Path | None, setting("Who signed its certificate, if the system does not know", example="ca.pem")] = None

    def __post_init__(self) -> None:
        require(self.starttls or is_local(self.host), f"host {self.host} is another machine: starttls must be true")
        require(bool(self.user) == bool(self.password), "a user and its password go together")
        for name in ("user", "password"):
            require(getattr(self, name).isascii(), f"{name} must be ASCII: mail servers take no other")
        demand_file("tls_ca", self.tls_ca)

    def open(self) -> Mail:
        return Mail(self)


class Mail:
    """Sends mails. A mail arrived when the server took it for at least one recipient; the others are named in the log."""

    def __init__(self, settings: MailSettings) -> None:
        self.name = settings.name
        self._settings = settings
        self._context = verifying_context(settings.tls_ca)

    def send(self, notice: Notice) -> None:
        try:
            refused = self._submit(self._mail(notice))
        except (OSError, smtplib.SMTPException) as error:
            raise ReceiverError(f"mail {self.name}: {error!r}") from error
        for address, reason in refused.items():
            _log.error("mail %s: the server refused %s: %s", self.name, address, reason)

    def _submit(self, mail: EmailMessage) -> dict[str, Any]:
        settings = self._settings
        with smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds) as server:
            if settings.starttls:
                server.starttls(context=self._context)
            if settings.user:
                server.login(settings.user, settings.password)
            return server.send_message(mail)

    def _mail(self, notice: Notice) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self._settings.sender, ", ".join(self._settings.recipients)
        mail["Subject"] = wording.subject(notice)
        mail["Date"] = max(alert.as_of for alert in notice.alerts)
        mail["Message-ID"] = self._message_id(notice)
        mail.set_content(wording.text(notice) + "\n")
        return mail

    def _message_id(self, notice: Notice) -> str:
        digest = hashlib.sha256(f"{notice.key}/{self.name}".encode()).hexdigest()
        return f"<{digest[:32]}@{self._settings.sender.rpartition('@')[2]}>"
