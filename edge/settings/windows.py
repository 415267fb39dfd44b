"""Declares [windows]: what readings are summarised over."""

from __future__ import annotations

from typing import Annotated

from program.settings import Settings, require, setting

HOUR = 3600
DAY = 24 * HOUR


class WindowSettings(Settings, frozen=True, kw_only=True):
    """Sets the tumbling event-time windows that readings are summarised over."""

    seconds: Annotated[int, setting("Length of a window; it divides an hour, for rollups are by the hour", ge=1, le=HOUR)] = 60
    grace_seconds: Annotated[int, setting("Wait of a window for stragglers; later ones come as a late partial summary", ge=0, le=DAY)] = 10

    def __post_init__(self) -> None:
        near = min((length for length in range(1, HOUR + 1) if HOUR % length == 0), key=lambda length: abs(length - self.seconds))
        require(HOUR % self.seconds == 0, f"seconds must divide an hour, as {near} does, not {self.seconds}")
