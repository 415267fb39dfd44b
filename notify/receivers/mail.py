"""A mail server takes the notification as one mail to all recipients. Its `Message-ID` is the same when it comes again."""

from __future__ import annotations

import hashlib
import smtplib
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, field

from notify.receivers.receiver import ReceiverError, demand_file, sentence, verifying_context
from program import logs
from program.names import Name
from program.settings import Secret, Settings, is_local, require, setting
from schemas.records import Alert

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
        demand_file("tls_ca", self.tls_ca)

    def open(self) -> Mail:
        return Mail(self)


class Mail:
    """Sends mails. A mail arrived when the server took it for at least one recipient; the others are named in the log."""

    def __init__(self, settings: MailSettings) -> None:
        self.name = settings.name
        self._settings = settings
        self._context = verifying_context(settings.tls_ca)

    def send(self, alert: Alert, remark: str) -> None:
        try:
            refused = self._submit(self._mail(alert, remark))
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

    def _mail(self, alert: Alert, remark: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self._settings.sender, ", ".join(self._settings.recipients)
        mail["Subject"] = f"[{alert.severity}] {alert.rule} {alert.state}: {alert.site_id or alert.subject}"
        mail["Date"] = alert.as_of
        mail["Message-ID"] = self._message_id(alert)
        mail.set_content("\n".join([sentence(alert, remark), "", *_details(alert)]) + "\n")
        return mail

    def _message_id(self, alert: Alert) -> str:
        digest = hashlib.sha256(f"{alert.alert_id}/{alert.revision}/{self.name}".encode()).hexdigest()
        return f"<{digest[:32]}@{self._settings.sender.rpartition('@')[2]}>"


def _details(alert: Alert) -> list[str]:
    names = ("alert_id", "revision", "state", "rule", "severity", "subject", "site_id", "device_id", "value", "threshold")
    times = [f"{name}: {_time(getattr(alert, name))}" for name in ("opened_time", "event_time", "as_of")]
    return [f"{name}: {value}" for name in names if (value := getattr(alert, name)) is not None] + times


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"
