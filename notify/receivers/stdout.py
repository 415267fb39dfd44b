"""Writes notifications to standard output."""

from __future__ import annotations

from typing import Annotated

from notify.receivers.receiver import ReceiverError, sentence
from program.names import Name
from program.settings import Settings, setting
from schemas.records import Alert


class StdoutSettings(Settings, frozen=True, kw_only=True, tag_field="kind", tag="stdout"):
    """Writes a line on standard output; a receiver `stdout` of this kind is always there."""

    name: Annotated[Name, setting("Name of the receiver, for routes", example="console")]

    def open(self) -> Stdout:
        return Stdout(self)


class Stdout:
    """Writes a line with the event time and what happened."""

    def __init__(self, settings: StdoutSettings) -> None:
        self.name = settings.name

    def send(self, alert: Alert, remark: str) -> None:
        try:
            print(f"{alert.event_time:%Y-%m-%d %H:%M:%S} {sentence(alert, remark)}", flush=True)
        except (OSError, ValueError) as error:
            raise ReceiverError(f"stdout: {error}") from error
