"""Declares [[sensors.thresholds]]: what is told at once."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from program.settings import Settings, require, setting
from schemas.records import Severity

Channel = Annotated[str, Meta(min_length=1)]


class Threshold(Settings, frozen=True, kw_only=True):
    """Raises an event at once when a reading crosses it."""

    name: Annotated[str, setting("Name of the event; unique in its class", min_length=1, example="frost")]
    channel: Annotated[Channel, setting("One of the class's channels", example="temperature")]
    below: Annotated[float | None, setting("The event `low` begins below this", example=1.0)] = None
    above: Annotated[float | None, setting("The event `high` begins above this", example=40.0)] = None
    unit: Annotated[
        str | None, setting("The unit that these limits are meant in; another than the channel's is refused", example="degC", since="0.3.0")
    ] = None
    hysteresis: Annotated[float, setting("The event is over only at below + hysteresis, or above - hysteresis", ge=0)] = 0.0
    severity: Annotated[Severity, setting("How bad it is")] = Severity.WARNING

    def __post_init__(self) -> None:
        require(self.below is not None or self.above is not None, "one of below and above is needed, or both")
        if self.below is not None and self.above is not None:
            require(self.below < self.above, "below must be less than above")
            between = self.above - self.below
            require(
                self.hysteresis <= between,
                f"hysteresis must be at most {between:g}, what is between below and above, not {self.hysteresis}",
            )
