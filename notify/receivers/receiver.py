"""Defines what a receiver is: somewhere a notice is sent to.

It has it for certain when `send` returns; else `send` raises ReceiverError.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Protocol

from notify.notice import Notice
from program.files import is_visible
from program.settings import require


class ReceiverError(Exception):
    """The notice may not have arrived; the text says why, without secrets."""


class Receiver(Protocol):
    """Sends notices: `receiver.send(notice)`.

    Whoever gets one can recognise a repetition: a receiver sends the notice's key.
    """

    @property
    def name(self) -> str: ...
    def send(self, notice: Notice) -> None:
        """Sends one. Raises ReceiverError."""


def demand_file(name: str, file: Path | None) -> None:
    """Raises ConfigError if the setting names a file that is not there."""
    require(file is None or is_visible(file), f"{name}: there is no file {file} that this user may see")


def verifying_context(tls_ca: Path | None) -> ssl.SSLContext:
    """Returns TLS that demands a certificate, signed by `tls_ca` or by whom the system trusts."""
    return ssl.create_default_context(cafile=tls_ca)
