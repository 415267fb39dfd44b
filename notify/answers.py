"""Puts links into notices by which a person answers them, for a receiver of any kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from notify.clock import Clock
from notify.notice import Notice
from notify.receivers.receiver import Receiver
from program.settings import Settings, is_local, require, setting
from schemas.answers import AnswerLink, read_key
from schemas.records import Alert, AlertChange, Answer


class AnswerSettings(Settings, frozen=True, kw_only=True):
    """Says where `tinybeam label serve` is reached, so that notices have links to it."""

    url: Annotated[
        str, setting("Its address for people; a link adds a token. Empty: no links", example="https://farm.example/answers", since="0.3.0")
    ] = ""
    key_file: Annotated[
        Path | None,
        setting("Key of the links, which `tinybeam label serve` has too: 32 bytes in base64", example="answers.key", since="0.3.0"),
    ] = None
    days: Annotated[int, setting("How long a link is good", ge=1, le=366, since="0.3.0")] = 14

    def __post_init__(self) -> None:
        require(bool(self.url) == bool(self.key_file), "url and key_file go together")
        address = urlsplit(self.url)
        is_safe = address.scheme == "https" or (address.scheme == "http" and is_local(address.hostname or ""))
        require(not self.url or is_safe, "url must be https, but for this machine")
        if self.key_file:
            read_key(self.key_file, "key_file")

    def linked(self, receiver: Receiver, clock: Clock) -> Receiver:
        """Returns the receiver, whose notices have links if there are to be any. Raises ConfigError."""
        if not self.key_file:
            return receiver
        return Answerable(receiver, self.url.rstrip("/"), read_key(self.key_file, "answers.key_file"), timedelta(days=self.days), clock)


class Answerable:
    """Is a receiver whose notices have links for the first of their alerts, while that is open."""

    def __init__(self, receiver: Receiver, url: str, key: bytes, good_for: timedelta, clock: Clock) -> None:
        self.name = receiver.name
        self._receiver, self._url, self._key, self._good_for, self._clock = receiver, url, key, good_for, clock

    def send(self, notice: Notice) -> None:
        """Raises ReceiverError."""
        self._receiver.send(replace(notice, links=dict(self._links(notice.first))))

    def _links(self, alert: Alert) -> Iterator[tuple[Answer, str]]:
        expires = (self._clock.now() + self._good_for).replace(microsecond=0)
        for answer in _offered(alert):
            yield answer, f"{self._url}/{AnswerLink(alert.alert_id, answer, expires).token(self._key)}"


def _offered(alert: Alert) -> Iterator[Answer]:
    """Yields what can be said of an alert: of a field that it was watered, of a machine that a part was replaced."""
    if alert.state == AlertChange.RESOLVED:
        return
    yield Answer.SEEN
    yield Answer.DONE
    yield Answer.FALSE_ALARM
    if alert.site_id:
        yield Answer.IRRIGATED
    if alert.device_id:
        yield Answer.REPLACED
