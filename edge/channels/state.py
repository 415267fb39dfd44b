"""Declares a channel that is a state: one of a few names, as of a door or a pump."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from edge.reading import PayloadError, shown
from edge.settings.payload import TextNumbers
from edge.units import Range
from program.settings import Settings, require, setting
from schemas.points import Point, Stay, stays
from schemas.records import ChannelKind

MAX_STATES = 64
_MESSAGES_A_STATE = 10
_STATE = r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$"
StateName = Annotated[str, Meta(pattern=_STATE, extra={"form": "letters, digits, space, dot, dash or underscore, at most 64"})]
_UNFIT: Mapping[str, str] = {
    **dict.fromkeys(("valid_min", "valid_max"), "its values are the states that it names"),
    "deadband": "it has no mean that could stay",
    "thresholds": "it is neither below nor above a limit",
    **dict.fromkeys(("payload.scale", "payload.offset", "payload.units", "payload.unit_at"), "it is no number"),
}


class StateChannel(Settings, frozen=True, kw_only=True, tag_field="kind", tag="state"):
    """Is in one of a few states at a time: how long in which, and how often it came into it, is summarised."""

    values: Annotated[
        tuple[StateName, ...],
        setting("The states; more may be added at the end", min_length=1, max_length=MAX_STATES, example=["closed", "open"], since="0.3.0"),
    ]
    words: Annotated[
        Mapping[Annotated[str, Meta(min_length=1)], str],
        setting(
            "What messages say for a state, where that is not its name; true, false and numbers as text",
            example={"true": "closed", "false": "open"},
            since="0.3.0",
        ),
    ] = {}

    WORD: ClassVar[str] = ChannelKind.STATE
    IS_NUMBER: ClassVar[bool] = False
    """Whether a message's number is its value as it is."""
    VALID: ClassVar[Range] = Range()

    def __post_init__(self) -> None:
        require(len(set(self.values)) == len(self.values), "values: a state stands twice")
        for word, name in self.words.items():
            require(name in self.values, f"words.{word}: {name!r} is not among values: {', '.join(self.values)}")

    def unfit(self) -> Mapping[str, str]:
        """Returns the settings that may not name such a channel, with the reason."""
        return _UNFIT

    def number(self, raw: Any, channel: str, text_numbers: TextNumbers) -> float:
        """Returns the position of the state that a message says. Raises PayloadError for one that is not declared."""
        word = _word(raw)
        name = self.words.get(word, word)
        if name not in self.values:
            hint = f", or words say which state {word[:40]} is" if word in ("true", "false") or word.isdecimal() else ""
            raise PayloadError("undeclared_state", f"{channel} is {word[:40]!r}; its states are {', '.join(self.values)}{hint}")
        return float(self.values.index(name))

    def example(self, number: int) -> str:
        """Returns what the nth of some messages may say."""
        return self.values[number // _MESSAGES_A_STATE % len(self.values)]

    def changes_nothing(self, before: float, value: float, after: float) -> bool:
        """Says whether what is read off is the same without the value between two others."""
        return before == value == after

    def columns(self, factor: float) -> dict[str, Any]:
        """Returns the columns of a summary that say what the channel is."""
        return {"channel_kind": self.WORD, "states": ",".join(self.values)}

    def inputs(self, channel: str, unit: str) -> dict[str, str]:
        """Returns what a model can be given of it, with units: the share of the window in each state."""
        return dict.fromkeys((f"{channel}.{name}" for name in self.values), "1")

    def input_values(self, channel: str, points: Sequence[Point], start_us: int, end_us: int, factor: float) -> dict[str, float]:
        """Returns those inputs of a window; none if it is not known how long which state lasted."""
        known = stays(points, start_us, end_us)
        if sum(stay.us for stay in known.values()) < end_us - start_us:
            return {}
        shares = {number: stay.us / (end_us - start_us) for number, stay in known.items()}
        return {f"{channel}.{name}": shares.get(float(number), 0.0) for number, name in enumerate(self.values)}

    READ_OFF: ClassVar[tuple[str, ...]] = ("seconds", "entered")

    @staticmethod
    def read_off(row: Mapping[str, Any], points: Sequence[Point], start_us: int) -> dict[str, Any]:
        """Returns by state how many seconds of the window it was in it, and how often it came into it."""
        known, names = stays(points, start_us, start_us + row["window_seconds"] * 1_000_000), row["states"].split(",")
        of_each = {name: known.get(float(number), Stay()) for number, name in enumerate(names)}
        return {
            "seconds": {name: stay.us / 1e6 for name, stay in of_each.items()},
            "entered": {name: stay.entered for name, stay in of_each.items()},
        }


def _word(raw: Any) -> str:
    """Writes what a message says for a state: true and 1 as text."""
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15:
        return str(int(raw))
    return shown(raw, 200).strip()
