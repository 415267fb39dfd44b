"""How a notice reaches somebody: a line on stdout, a webhook, a mail. Each has it for certain when `tell` returns, or raises ReceiverError.

Whoever gets it can recognise a repetition: the webhook's Idempotency-Key and the mail's Message-ID are those of the notice.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import smtplib
import ssl
import urllib.error
import urllib.request
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Protocol

from notify.config import STDOUT, Config, MailSettings, WebhookSettings
from program import logs
from schemas.notification import encode
from schemas.records import Alert

_log = logs.get(__name__)
_ANSWER_BYTES = 4096


class ReceiverError(Exception):
    """The notice may not have arrived; the text says why, without secrets."""


class Receiver(Protocol):
    """Somewhere to tell."""

    @property
    def name(self) -> str: ...
    def tell(self, alert: Alert, remark: str) -> None:
        """Raises ReceiverError. The remark is for the reader, mostly empty."""


def open_receivers(config: Config) -> list[Receiver]:
    """Those that a route names."""
    everyone: list[Receiver] = [Stdout(), *map(Webhook, config.webhooks), *map(Mail, config.mails)]
    wanted = {name for route in config.routes for name in route.receivers}
    return [one for one in everyone if one.name in wanted]


def sentence(alert: Alert, remark: str) -> str:
    """One line for a person."""
    said = f"[{alert.severity}] {alert.rule} {alert.state}: {alert.message}"
    return f"{said} ({remark})" if remark else said


class Stdout:
    name = STDOUT

    def tell(self, alert: Alert, remark: str) -> None:
        try:
            print(f"{alert.event_time:%Y-%m-%d %H:%M:%S} {sentence(alert, remark)}", flush=True)
        except (OSError, ValueError) as error:
            raise ReceiverError(f"stdout: {error}") from error


class Webhook:
    """POSTs the notice as JSON, with `text` added. Any 2xx means that it arrived; redirections are not followed."""

    def __init__(self, settings: WebhookSettings) -> None:
        self.name = settings.name
        self._settings = settings
        handler = urllib.request.HTTPSHandler(context=_verifying(settings.tls_ca))
        self._opener = urllib.request.build_opener(_NoRedirect(), handler)

    def tell(self, alert: Alert, remark: str) -> None:
        content = json.loads(encode(alert)[1]) | {"text": sentence(alert, remark)}
        headers = {"Content-Type": "application/json", "User-Agent": "tinybeam", "Idempotency-Key": f"{alert.alert_id}/{alert.revision}"}
        if self._settings.authorization:
            headers["Authorization"] = self._settings.authorization
        # The configuration lets nothing but http and https pass.
        request = urllib.request.Request(self._settings.url, json.dumps(content).encode(), headers, method="POST")  # noqa: S310
        try:
            with self._opener.open(request, timeout=self._settings.timeout_seconds) as answer:
                answer.read(_ANSWER_BYTES)
        except urllib.error.HTTPError as error:
            with error:
                raise ReceiverError(f"webhook {self.name}: it answered {error.code}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ReceiverError(f"webhook {self.name}: {error!r}") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection could lead off https, or elsewhere with the authorization."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Mail:
    """One mail to all recipients. It arrived when the server took it for at least one; the others are named in the log."""

    def __init__(self, settings: MailSettings) -> None:
        self.name = settings.name
        self._settings = settings
        self._context = _verifying(settings.tls_ca)

    def tell(self, alert: Alert, remark: str) -> None:
        try:
            refused = self._send(self._mail(alert, remark))
        except (OSError, smtplib.SMTPException) as error:
            raise ReceiverError(f"mail {self.name}: {error!r}") from error
        for address, why in refused.items():
            _log.error("mail %s: the server refused %s: %s", self.name, address, why)

    def _send(self, mail: EmailMessage) -> dict[str, Any]:
        told = self._settings
        with smtplib.SMTP(told.host, told.port, timeout=told.timeout_seconds) as server:
            if told.starttls:
                server.starttls(context=self._context)
            if told.user:
                server.login(told.user, told.password)
            return server.send_message(mail)

    def _mail(self, alert: Alert, remark: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self._settings.sender, ", ".join(self._settings.recipients)
        mail["Subject"] = f"[{alert.severity}] {alert.rule} {alert.state}: {alert.site_id or alert.subject}"
        mail["Date"] = alert.as_of
        digest = hashlib.sha256(f"{alert.alert_id}/{alert.revision}/{self.name}".encode()).hexdigest()
        mail["Message-ID"] = f"<{digest[:32]}@{self._settings.sender.rpartition('@')[2]}>"
        mail.set_content("\n".join([sentence(alert, remark), "", *_details(alert)]) + "\n")
        return mail


def _details(alert: Alert) -> list[str]:
    names = ("alert_id", "revision", "state", "rule", "severity", "subject", "site_id", "device_id", "value", "threshold")
    times = [f"{name}: {_time(getattr(alert, name))}" for name in ("opened_time", "event_time", "as_of")]
    return [f"{name}: {value}" for name in names if (value := getattr(alert, name)) is not None] + times


def _time(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def _verifying(tls_ca: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=tls_ca)
