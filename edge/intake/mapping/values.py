"""Makes the values of a reading: what each is called, what it means, whether it can be true. One that is wrong costs no other. Pure."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from fnmatch import translate
from typing import Any, NamedTuple

from edge.channels import ChannelKind
from edge.channels.numbers import boolean, number
from edge.intake.documents.document import Quantity
from edge.reading import MAX_CHANNELS, PayloadError, is_name, shown
from edge.settings.paths import MISSING
from edge.settings.payload import PayloadSettings, TextNumbers
from edge.settings.sensors import Sensors
from edge.units import Linear, Range, conversion, is_known
from program import logs

MAX_VALUES = 1_000
"""Values of one reading, those that nobody needs among them."""
MAX_DEPTH = 8
_MAX_NAMES = 2_000
_LOGGED = 200
_MAX_SOURCES = 20_000
_LEVELS = {"warn": logging.WARNING, "ignore": logging.DEBUG}
_UNITS_IN_MESSAGES = {"C": "degC", "F": "degF"}
"""What senders call units that are others elsewhere: coulomb, farad."""

_log = logs.get(__name__)


class Fault(NamedTuple):
    """Says why a value is not taken: `reason` is a fixed word, the text a sentence."""

    reason: str
    text: str
    channel: str = ""


class Sender(NamedTuple):
    """Says of a reading which device it is of, and which units its message names, by channel."""

    device_id: str = ""
    units: Mapping[str, Any] = {}


class Meaning(NamedTuple):
    """Says what a value in a message means. `channel` is None for one that nobody needs."""

    channel: str | None
    convert: Linear | None = None
    valid: Range = Range()
    is_boolean: bool = False
    by_pattern: bool = False
    kind: ChannelKind | None = None


NOBODY = Sender()
_IGNORED = Meaning(None)
_UNKNOWN = Meaning(None)


class ValueMap:
    """Knows the values of a class. Usage: `values = value_map.read(node, faults)`; what is wrong is added to `faults`."""

    def __init__(
        self, sensors: Sensors, payload: PayloadSettings, ranges: Mapping[str, Range], besides: frozenset[str] = frozenset()
    ) -> None:
        """`ranges` are those of the channels; `besides` are names that stand among the values and are none."""
        self._sensors, self._payload, self._ranges, self._besides = sensors, payload, ranges, besides
        self._renamed = [(re.compile(translate(pattern)), channel) for pattern, channel in payload.rename.items()]
        self._ignored = [re.compile(translate(pattern)) for pattern in payload.ignore]
        self._meanings: dict[str, Meaning] = {}
        self._logged: set[str] = set()
        self._sources: dict[tuple[str, str], str] = {}

    def read(self, node: Any, faults: list[Fault], sender: Sender = NOBODY) -> dict[str, float]:
        """Returns the values of a table, of which nested ones are named with dots. Raises PayloadError for too many."""
        values: dict[str, float] = {}
        for count, (name, raw) in enumerate(_flat(node) if isinstance(node, dict) else ()):
            if count >= MAX_VALUES:
                raise PayloadError("oversized", f"more than {MAX_VALUES} values in one reading")
            self.add(name, raw, values, faults, sender)
        return values

    def add(self, name: str, raw: Any, values: dict[str, float], faults: list[Fault], sender: Sender = NOBODY) -> None:
        """Adds one value, under its channel. Of two for one channel none is taken, for nobody knows which it is."""
        meaning = self._meanings.get(name) or self._meaning(name)
        channel = meaning.channel
        if channel is None:
            if meaning is _UNKNOWN:
                self._unknown(name, faults)
            return
        if channel in values or (faults and _has_fault(channel, faults)) or (meaning.by_pattern and self._is_second(name, channel, sender)):
            values.pop(channel, None)
            cure = "give each a channel in payload.rename, or name one in payload.ignore"
            faults.append(Fault("ambiguous_channel", f"{name[:80]!r} is a second value of {channel}: {cure}", channel))
        elif raw is not None:
            try:
                values[channel] = self._value(raw, channel, meaning, sender)
            except PayloadError as error:
                faults.append(Fault(error.reason, str(error), channel))
        elif self._payload.null_values == "reject":
            faults.append(Fault("null_value", f"{channel} is null", channel))

    def _is_second(self, name: str, channel: str, sender: Sender) -> bool:
        """Says whether the device has this channel under another name that a pattern fits, in this message or in one before."""
        if len(self._sources) >= _MAX_SOURCES:
            self._sources.clear()
        return self._sources.setdefault((sender.device_id, channel), name) != name

    def _value(self, raw: Any, channel: str, meaning: Meaning, sender: Sender) -> float:
        raw, unit = raw if isinstance(raw, Quantity) else (raw, self._unit_said(channel, sender))
        if meaning.kind:
            value = meaning.kind.number(raw, channel, self._payload.text_numbers)
        else:
            value = boolean(raw, channel) if meaning.is_boolean else number(raw, channel, self._payload.text_numbers)
        convert = self._conversion(channel, unit) if isinstance(unit, str) else meaning.convert
        if convert:
            value = convert(value)
        if value not in meaning.valid:
            raise PayloadError("out_of_range", out_of_range(channel, value, meaning.valid, self._sensors))
        return value

    def _unit_said(self, channel: str, sender: Sender) -> str | None:
        """Returns the unit that the message says where `unit_at` leads, None if there is none. Raises PayloadError for one not known."""
        unit = sender.units.get(channel)
        if unit is None or unit is MISSING:
            return None
        declared = self._payload.units.get(channel, self._sensors.channels[channel])
        if not isinstance(unit, str) or not (unit == declared or is_known(_UNITS_IN_MESSAGES.get(unit, unit))):
            raise PayloadError("wrong_unit", f"{channel} comes in {shown(unit)}, which is no unit that is known here")
        return unit

    def _meaning(self, name: str) -> Meaning:
        meaning = self._compiled(name)
        if len(self._meanings) < _MAX_NAMES:
            self._meanings[name] = meaning
        return meaning

    def _compiled(self, name: str) -> Meaning:
        if name in self._besides or any(pattern.match(name) for pattern in self._ignored):
            return _IGNORED
        exact = self._payload.rename.get(name)
        channel = exact or next((known for pattern, known in self._renamed if pattern.match(name)), name)
        if channel not in self._sensors.channels:
            return _UNKNOWN
        return Meaning(
            channel,
            self._conversion(channel),
            self._ranges.get(channel, Range()),
            is_boolean=channel in self._payload.booleans,
            by_pattern=exact is None and channel != name,
            kind=self._sensors.kinds.get(channel),
        )

    def _conversion(self, channel: str, unit: str | None = None) -> Linear | None:
        """Returns what makes of a value one in the unit of the class; `unit` is what its message says. Raises PayloadError."""
        to = self._sensors.channels[channel]
        declared, unit = self._payload.units.get(channel, to), _UNITS_IN_MESSAGES.get(unit or "", unit)
        known = unit if unit is not None and is_known(unit) and is_known(to) else declared
        to_class = conversion(known, to)
        if to_class is None:
            raise PayloadError("wrong_unit", f"{channel} comes in {known}, which nobody can convert to {to}")
        convert = Linear(self._payload.scale.get(channel, 1.0), self._payload.offset.get(channel, 0.0)).then(to_class)
        return None if convert == Linear() else convert

    def _unknown(self, name: str, faults: list[Fault]) -> None:
        policy = self._payload.unknown_channels
        if policy == "reject":
            faults.append(Fault("unknown_channel", f"{name[:80]!r} is not among the channels of the class {self._sensors.name!r}"))
        elif name not in self._logged and len(self._logged) < _LOGGED:
            self._logged.add(name)
            cure = "channels or payload.rename take it" if policy == "ignore" else "add it to channels, payload.rename or payload.ignore"
            sentence = "%r in messages of the class %r is none of its channels and left out: %s"
            _log.log(_LEVELS[policy], sentence, name[:80], self._sensors.name, cure)


class AnyChannel:
    """Takes every name for a channel, as TinyBeam's own JSON does. It is a ValueMap of a class that says nothing of its payload."""

    def __init__(self, sensors: Sensors, ranges: Mapping[str, Range]) -> None:
        self._sensors, self._ranges = sensors, ranges

    def read(self, node: Any, faults: list[Fault], sender: Sender = NOBODY) -> dict[str, float]:
        if not isinstance(node, dict) or len(node) > MAX_CHANNELS:
            count = len(node) if isinstance(node, dict) else 0
            raise PayloadError("oversized" if count else "wrong_type", f"{count} values; a reading has 1 to {MAX_CHANNELS}")
        values: dict[str, float] = {}
        for channel, raw in node.items():
            self.add(channel, raw, values, faults, sender)
        return values

    def add(self, name: str, raw: Any, values: dict[str, float], faults: list[Fault], sender: Sender = NOBODY) -> None:
        if raw is None:
            faults.append(Fault("null_value", f"{name[:80]} is null"))
            return
        try:
            values[name] = self._value(name, raw)
        except PayloadError as error:
            faults.append(Fault(error.reason, str(error)))

    def _value(self, name: str, raw: Any) -> float:
        if not is_name(name):
            raise PayloadError("wrong_type", f"channel {name[:80]!r} is not a name")
        kind, valid = self._sensors.kinds.get(name), self._ranges.get(name, Range())
        value = kind.number(raw, name, TextNumbers.NO) if kind else number(raw, name, TextNumbers.NO)
        if value not in valid:
            raise PayloadError("out_of_range", out_of_range(name, value, valid, self._sensors))
        return value


def out_of_range(channel: str, value: float, valid: Range, sensors: Sensors) -> str:
    """Says that a value cannot be true, and what may be the reason."""
    unit = sensors.channels.get(channel, "")
    percent = unit == "m3/m3" and 1 < value <= 100 and not (sensors.payload and channel in sensors.payload.units)
    cure = f': if the sensor sends percent, payload.units = {{ {channel} = "%" }} converts it' if percent else ""
    return f"{channel} is {value:g} {unit}, and can only be {valid}{cure}"


def _has_fault(channel: str, faults: list[Fault]) -> bool:
    return any(fault.channel == channel for fault in faults)


def _flat(table: dict[Any, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yields names and values, those of nested tables with the table's name before them."""
    for key, value in table.items():
        name = f"{before}{shown(key, 200)}"
        if isinstance(value, dict) and value and depth < MAX_DEPTH:
            yield from _flat(value, f"{name}.", depth + 1)
        else:
            yield name, value
