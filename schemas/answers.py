"""Writes and reads the links by which a person answers a notice: `URL/TOKEN`. A token says alert, answer and expiry, under a MAC by a key.

Guarantees that nobody makes a token or changes one without the key, and that one that is over is none. A token that is used again says the
same thing, so a repetition adds nothing. The notifier makes links, `tinybeam label serve` reads them.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from program.settings import ConfigError
from schemas.records import Answer

KEY_BYTES = 32
MOST_CHARACTERS = 2000
"""A longer token is not looked at."""

_PURPOSE = b"tinybeam answer 1\n"


class LinkError(ValueError):
    """The token is none, or not good any more; the text says why and is meant for whoever followed the link."""


class AnswerLink(NamedTuple):
    """Says what following a link means. `expires` is a UTC time in whole seconds."""

    alert_id: str
    answer: Answer
    expires: datetime

    def token(self, key: bytes) -> str:
        """Returns the token of one path segment: letters, digits, dash, underscore and a dot."""
        content = json.dumps([self.alert_id, self.answer, int(self.expires.timestamp())], separators=(",", ":")).encode()
        return f"{_text(content)}.{_text(_mac(key, content))}"


def opened(token: str, key: bytes, now: datetime) -> AnswerLink:
    """Reads a token that was made with the key. Raises LinkError."""
    content_text, _, mac_text = token.partition(".")
    try:
        content, mac = _bytes(content_text), _bytes(mac_text)
    except (ValueError, binascii.Error) as error:
        raise LinkError("this is no link of a notice") from error
    if len(token) > MOST_CHARACTERS or not hmac.compare_digest(mac, _mac(key, content)):
        raise LinkError("this is no link of a notice")
    alert_id, answer, expires = json.loads(content)
    if answer not in tuple(Answer):
        raise LinkError("this link is of a newer version")
    link = AnswerLink(alert_id, Answer(answer), datetime.fromtimestamp(expires, UTC))
    if link.expires <= now:
        raise LinkError(f"this link was good until {link.expires:%Y-%m-%d %H:%M} UTC")
    return link


def read_key(file: Path, setting: str) -> bytes:
    """Reads a key of KEY_BYTES in base64. Raises ConfigError, which begins with the setting and shows nothing of the key."""
    try:
        if file.stat().st_mode & 0o077:
            raise ConfigError(f"{setting}: others may read {file}: chmod 600 {file}")
        key = base64.b64decode(file.read_bytes().strip(), validate=True)
    except OSError as error:
        raise ConfigError(f"{setting}: {file} cannot be read: {error.strerror}") from error
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{setting}: {file} holds no key: a key is {KEY_BYTES} bytes in base64: openssl rand -base64 {KEY_BYTES}")
    return key


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, _PURPOSE + content, "sha256")


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Reads the one text that `_text` writes of these bytes. Raises ValueError."""
    content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _text(content) != text:
        raise ValueError(text)
    return content
