"""Writes notices to standard output."""

from __future__ import annotations

from typing import Annotated

from notify.notice import Notice
from notify.receivers.receiver import ReceiverError
from notify.wording import line
from program import terminal
from program.names import Name
from program.settings import Settings, setting


class StdoutSettings(Settings, frozen=True, kw_only=True, tag_field="kind", tag="stdout"):
    """Writes a line on standard output; a receiver `stdout` of this kind is always there."""

    name: Annotated[Name, setting("Name of the receiver, for routes", example="console")]

    def open(self) -> Stdout:
        return Stdout(self)


class Stdout:
    """Writes a line with all that matters of a notice."""

    def __init__(self, settings: StdoutSettings) -> None:
        self.name = settings.name

    def send(self, notice: Notice) -> None:
        try:
            print(terminal.safe(line(notice)), flush=True)
        except (OSError, ValueError) as error:
            raise ReceiverError(f"stdout: {error}") from error
