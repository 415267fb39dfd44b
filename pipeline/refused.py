"""Says of a message that it is refused: why, and by which stage. Its reject has the message as it came."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.elements import ReceivedMessage

AUTH, DECODE = "pipeline.auth", "pipeline.decode"
STAGES = frozenset((AUTH, DECODE))
"""The stages whose rejects hold a message."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Is a message that is no batch, that nobody may have sent, or at which we failed ourselves: then with the stack trace."""

    message: ReceivedMessage
    reason: str
    text: str
    stacktrace: str | None = None
    stage: str = DECODE
