"""A webhook gets the notification as a POST of JSON. The header `Idempotency-Key` is the same when it comes again."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from msgspec import field

from notify.notice import Notice
from notify.receivers.receiver import ReceiverError, demand_file, verifying_context
from notify.target import Network, Targets, handlers, refusal
from notify.wording import LISTED, chat
from program.names import Name
from program.settings import ConfigError, Secret, Settings, is_local, require, setting
from schemas.notification import encode
from schemas.records import Alert

_ANSWER_BYTES = 4096
_OF_MORE = ("alert_id", "revision", "state", "severity", "opened_time", "event_time", "message")


class WebhookSettings(Settings, frozen=True, kw_only=True, tag_field="kind", tag="webhook"):
    """Sends a POST of the notification as JSON, with `text`, the counts of alerts and links for answers added; any 2xx counts as sent."""

    name: Annotated[Name, setting("Name of the receiver, for routes", example="pager")]
    url: Annotated[
        Secret, setting("https, but for this machine; never shown, for many hooks have their secret in it", example="https://...")
    ]
    authorization: Annotated[Secret, setting("The Authorization header", example="Bearer ${PAGER_TOKEN}")] = field(default_factory=Secret)
    timeout_seconds: Annotated[float, setting("Longest wait for an answer", ge=0.1, le=300)] = 10.0
    tls_ca: Annotated[Path | None, setting("Who signed its certificate, if the system does not know", example="ca.pem")] = None
    allowed_networks: Annotated[
        tuple[str, ...],
        setting(
            "Networks in which the host may lie though nothing is sent there otherwise: this machine under another name than its own, "
            "its link, where clouds keep credentials",
            example=["169.254.7.0/24"],
            since="0.3.0",
        ),
    ] = ()

    def __post_init__(self) -> None:
        _check_url(self.url, self.networks)
        require(self.authorization.isascii(), "authorization must be ASCII, as a header is")
        demand_file("tls_ca", self.tls_ca)

    @property
    def networks(self) -> tuple[Network, ...]:
        """Raises ConfigError."""
        return tuple(map(_network, self.allowed_networks))

    def open(self) -> Webhook:
        return Webhook(self, Targets(self.networks))


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ConfigError(f"allowed_networks: {error}") from error


def _check_url(text: str, allowed: Sequence[Network]) -> None:
    # What http.client would refuse when it sends, with the URL in its sentence.
    require(text.isascii() and " " not in text, "url must be ASCII without spaces: write others as %20")
    try:
        url = urlsplit(text)
        host, _ = url.hostname or "", url.port
    except ValueError as error:
        # The error would show a part of the URL.
        raise ConfigError("url is no URL: its host or its port cannot be read") from error
    require(url.scheme in ("http", "https") and host, "url must be an http or https URL")
    require(url.username is None and url.password is None, "url must hold no password: use authorization")
    require(url.scheme == "https" or is_local(host), f"url: {host} is another machine: it must be https")
    if sentence := refusal(host, allowed):
        raise ConfigError(f"url: {sentence}")


class Webhook:
    """POSTs the first notification's JSON, with `text`, `alerts`, `alerts_open` and `more` added.

    Any 2xx means that it arrived; redirections are not followed, and nothing is sent to what is no target.
    """

    def __init__(self, settings: WebhookSettings, targets: Targets) -> None:
        self.name = settings.name
        self._settings = settings
        self._opener = urllib.request.build_opener(_NoRedirect(), *handlers(settings.url, verifying_context(settings.tls_ca), targets))

    def send(self, notice: Notice) -> None:
        try:
            with self._opener.open(self._request(notice), timeout=self._settings.timeout_seconds) as answer:
                answer.read(_ANSWER_BYTES)
        except urllib.error.HTTPError as error:
            with error:
                raise ReceiverError(f"webhook {self.name}: it answered {error.code}") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ReceiverError(f"webhook {self.name}: {error!r}") from error

    def _request(self, notice: Notice) -> urllib.request.Request:
        headers = {"Content-Type": "application/json", "User-Agent": "tinybeam", "Idempotency-Key": notice.key}
        if self._settings.authorization:
            headers["Authorization"] = self._settings.authorization
        # The configuration lets nothing but http and https pass.
        return urllib.request.Request(self._settings.url, json.dumps(_content(notice)).encode(), headers, method="POST")  # noqa: S310


def _content(notice: Notice) -> dict[str, Any]:
    """Returns the first alert's notification, the text, how many alerts the notice is of, and the next of them."""
    more = [_brief(alert) for alert in notice.more[:LISTED]]
    counts = {"alerts": len(notice.alerts), "alerts_open": notice.open_alerts}
    return {
        **json.loads(encode(notice.first)[1]),
        "text": chat(notice),
        **counts,
        "more": more,
        **({"answers": dict(notice.links)} if notice.links else {}),
    }


def _brief(alert: Alert) -> dict[str, Any]:
    content = json.loads(encode(alert)[1])
    return {name: content[name] for name in _OF_MORE}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirection: it could lead off https, or elsewhere with the authorization."""

    def redirect_request(self, *_: Any) -> None:
        return None
