"""A webhook gets the notification as a POST of JSON. The header `Idempotency-Key` is the same when it comes again."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import Any

from notify.config import WebhookSettings
from notify.receivers.receiver import ReceiverError, sentence, verifying_context
from schemas.notification import encode
from schemas.records import Alert

_ANSWER_BYTES = 4096


class Webhook:
    """POSTs the notification's JSON, with `text` added. Any 2xx means that it arrived; redirections are not followed."""

    def __init__(self, settings: WebhookSettings) -> None:
        self.name = settings.name
        self._settings = settings
        https = urllib.request.HTTPSHandler(context=verifying_context(settings.tls_ca))
        self._opener = urllib.request.build_opener(_NoRedirect(), https)

    def send(self, alert: Alert, remark: str) -> None:
        try:
            with self._opener.open(self._request(alert, remark), timeout=self._settings.timeout_seconds) as answer:
                answer.read(_ANSWER_BYTES)
        except urllib.error.HTTPError as error:
            with error:
                raise ReceiverError(f"webhook {self.name}: it answered {error.code}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ReceiverError(f"webhook {self.name}: {error!r}") from error

    def _request(self, alert: Alert, remark: str) -> urllib.request.Request:
        content = json.loads(encode(alert)[1]) | {"text": sentence(alert, remark)}
        headers = {"Content-Type": "application/json", "User-Agent": "tinybeam", "Idempotency-Key": f"{alert.alert_id}/{alert.revision}"}
        if self._settings.authorization:
            headers["Authorization"] = self._settings.authorization
        # The configuration lets nothing but http and https pass.
        return urllib.request.Request(self._settings.url, json.dumps(content).encode(), headers, method="POST")  # noqa: S310


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection could lead off https, or elsewhere with the authorization."""

    def redirect_request(self, *_: Any) -> None:
        return None
