"""A mail server takes the notification as one mail to all recipients. Its `Message-ID` is the same when it comes again."""

from __future__ import annotations

import hashlib
import smtplib
from datetime import datetime
from email.message import EmailMessage
from typing import Any

from notify.config import MailSettings
from notify.receivers.receiver import ReceiverError, sentence, verifying_context
from program import logs
from schemas.records import Alert

_log = logs.get(__name__)


class Mail:
    """A mail arrived when the server took it for at least one recipient; the others are named in the log."""

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
