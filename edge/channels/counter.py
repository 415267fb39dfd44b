"""Declares a channel that is a counter: it only rises, as a meter's energy or a gauge's tips, until it begins anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from edge.channels.numbers import number
from edge.settings.payload import TextNumbers
from edge.units import Range
from program.settings import Settings, setting
from schemas.points import Point, increase
from schemas.records import ChannelKind

_UNFIT = {
    "deadband": "it only rises",
    "thresholds": "it only rises, so a limit would be crossed once",
    "payload.offset": "only what it rises by counts; an offset would be counted at each reset",
}


class CounterChannel(Settings, frozen=True, kw_only=True, tag_field="kind", tag="counter"):
    """Only rises: by how much is summarised. One that falls began at 0 again, unless it wraps."""

    wraps_at: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        setting(
            "Where it begins at 0 again, as its messages count, before scale and unit. None: one that falls was reset",
            example=65536.0,
            since="0.3.0",
        ),
    ] = None

    WORD: ClassVar[str] = ChannelKind.COUNTER
    IS_NUMBER: ClassVar[bool] = True
    """Whether a message's number is its value as it is."""
    VALID: ClassVar[Range] = Range(low=0.0)

    def unfit(self) -> Mapping[str, str]:
        """Returns the settings that may not name such a channel, with the reason."""
        return _UNFIT | ({"payload.unit_at": "wraps_at is of one unit"} if self.wraps_at else {})

    def number(self, raw: Any, channel: str, text_numbers: TextNumbers) -> float:
        """Returns the number that a message says. Raises PayloadError."""
        return number(raw, channel, text_numbers)

    def example(self, number: int) -> float:
        """Returns what the nth of some messages may say."""
        return float(number)

    def changes_nothing(self, before: float, value: float, after: float) -> bool:
        """Says whether what is read off is the same without the value between two others."""
        return before <= value <= after

    def columns(self, factor: float) -> dict[str, Any]:
        """Returns the columns of a summary that say what the channel is. `factor` makes of a message's number one in the channel's unit."""
        return {"channel_kind": self.WORD, "wraps_at": self._wraps_at(factor)}

    def inputs(self, channel: str, unit: str) -> dict[str, str]:
        """Returns what a model can be given of it, with its unit: what it rose by in the window."""
        return {f"{channel}.increase": unit}

    def input_values(self, channel: str, points: Sequence[Point], start_us: int, end_us: int, factor: float) -> dict[str, float]:
        """Returns that input of a window; none if it is not known what it stood at when the window began."""
        rise = increase(points, start_us, self._wraps_at(factor))
        return {f"{channel}.increase": rise.increase} if rise and rise.since_us < start_us else {}

    READ_OFF: ClassVar[tuple[str, ...]] = ("increase", "resets")

    @staticmethod
    def read_off(row: Mapping[str, Any], points: Sequence[Point], start_us: int) -> dict[str, Any]:
        """Returns what it rose by, None if that is not known, and how often it began anew."""
        rise = increase(points, start_us, row["wraps_at"])
        return {"increase": rise.increase if rise else None, "resets": rise.resets if rise else 0}

    def _wraps_at(self, factor: float) -> float | None:
        return self.wraps_at * factor if self.wraps_at else None
