"""Defines what a receiver is: somewhere a notification is sent to.

It has it for certain when `send` returns; else `send` raises ReceiverError.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Protocol

from program.files import is_visible
from program.settings import require
from schemas.records import Alert


class ReceiverError(Exception):
    """The notification may not have arrived; the text says why, without secrets."""


class Receiver(Protocol):
    """Sends notifications: `receiver.send(alert, remark)`.

    Whoever gets one can recognise a repetition: a receiver sends a key that depends on alert and revision alone.
    """

    @property
    def name(self) -> str: ...
    def send(self, alert: Alert, remark: str) -> None:
        """Sends one. Raises ReceiverError. The remark is for the reader, mostly empty."""


def sentence(alert: Alert, remark: str) -> str:
    """Writes one line for a person, such as `[warning] dry opened: The field dries out`."""
    text = f"[{alert.severity}] {alert.rule} {alert.state}: {alert.message}"
    return f"{text} ({remark})" if remark else text


def demand_file(name: str, file: Path | None) -> None:
    """Raises ConfigError if the setting names a file that is not there."""
    require(file is None or is_visible(file), f"{name}: there is no file {file} that this user may see")


def verifying_context(tls_ca: Path | None) -> ssl.SSLContext:
    """Returns TLS that demands a certificate, signed by `tls_ca` or by whom the system trusts."""
    return ssl.create_default_context(cafile=tls_ca)
