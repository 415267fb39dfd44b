"""Reads the documents of one class: each item becomes a reading, and what is wrong with it a reject. Raises nothing.

A value that is wrong costs no other; a wrong device, time or number of its own costs the item, and no other item.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from edge.intake.documents.document import Document
from edge.intake.documents.json_documents import Malformed
from edge.intake.formats.format import Context, DeviceNames
from edge.intake.mapping.item import Item, items
from edge.intake.mapping.times import TimeRule, time_path
from edge.intake.mapping.values import AnyChannel, Fault, Sender, ValueMap
from edge.reading import OVERSIZED_KEPT_BYTES, PayloadError, Reading, Rejected, check_stamp, shown
from edge.settings.paths import MISSING, Path
from edge.settings.payload import ARRIVAL, ITEM_KEY, PayloadSettings, device_paths
from edge.settings.sensors import Sensors
from edge.units import Range

NATIVE = PayloadSettings(values="values")
"""Says how TinyBeam's own JSON is laid out."""


class _Values(Protocol):
    def read(self, node: Any, faults: list[Fault], sender: Sender) -> dict[str, float]: ...
    def add(self, name: str, raw: Any, values: dict[str, float], faults: list[Fault], sender: Sender) -> None: ...


class MessageMap:
    """Knows how the messages of a class are laid out. Usage: `for result in message_map.read(document, context)`."""

    def __init__(
        self, sensors: Sensors, ranges: Mapping[str, Range], devices: DeviceNames | None = None, counted: Counter[str] | None = None
    ) -> None:
        """`counted` is added to the ledger."""
        self._counted = Counter[str]() if counted is None else counted
        payload = sensors.payload or NATIVE
        self._sensors, self._payload, self._devices = sensors, payload, devices
        self._items, self._values = _path(payload.items), _path(payload.values)
        self._channel, self._value = _path(payload.channel), _path(payload.value)
        self._device = device_paths(payload.device)
        self._units = {channel: Path.parse("unit_at", path) for channel, path in payload.unit_at.items()}
        self._seq, self._boot = Path.parse("seq", payload.seq), Path.parse("boot", payload.boot)
        self._time = TimeRule(payload, {*payload.rename, *sensors.channels, *payload.ignore}, text_numbers=sensors.payload is not None)
        self._value_map: _Values = AnyChannel(sensors, ranges)
        if sensors.payload:
            self._value_map = ValueMap(sensors, payload, ranges, self._stamp_names())
        self._only = next(iter(sensors.channels)) if len(sensors.channels) == 1 else None

    def _stamp_names(self) -> frozenset[str]:
        """Returns what is no value though it stands among them, by its name there."""
        paths = [self._seq, self._boot, *self._device, *self._units.values()]
        paths += [] if self._payload.time == ARRIVAL else [Path.parse("time", self._payload.time)]
        inner = self._values.steps if self._values else ()
        within = [Path(path.steps[len(inner) :]) for path in paths if path.steps[: len(inner)] == inner]
        return frozenset(path.name for path in [*paths, *within])

    def read(self, document: Document, context: Context) -> Iterator[Reading | Rejected]:
        content = document.content
        if isinstance(content, Malformed):
            yield Rejected(content.reason, content.message, document.body, context.device_id or None)
            return
        try:
            if self._payload.device == ITEM_KEY:
                _check_keys(content if self._items is None else self._items.find(content))
            for item in items(content, self._items, keyed=self._payload.device == ITEM_KEY):
                body = document.body if item.content is content else None
                yield from self._read(item, body, context)
        except PayloadError as error:
            yield Rejected(error.reason, str(error), document.body, context.device_id or None)

    def read_item(self, document: Document, context: Context) -> Iterator[Reading | Rejected]:
        """Yields what `read` does of a document that is one reading, whatever it is."""
        yield from self._read(Item(document.content, document.content), document.body, context)

    def _read(self, item: Item, body: bytes | None, context: Context) -> Iterator[Reading | Rejected]:
        """`body` are the bytes of the item, None if they are to be written when they are needed."""
        faults: list[Fault] = []
        device_id, seq = context.device_id or None, None
        try:
            device_id = self._device_id(item, context)
            if device_id is None:
                return
            reading = self._reading(item, device_id, context, faults)
        except PayloadError as error:
            faults.append(Fault(error.reason, str(error)))
        else:
            if reading:
                yield reading
            else:
                seq = self._number(item)
        by_reason: dict[str, list[str]] = {}
        for fault in faults:
            by_reason.setdefault(fault.reason, []).append(fault.text)
        for reason, texts in by_reason.items():
            yield Rejected(reason, "; ".join(texts)[:1000], _bytes(item) if body is None else body, device_id, seq=seq)
            seq = None

    def _reading(self, item: Item, device_id: str, context: Context, faults: list[Fault]) -> Reading | None:
        """Returns what can be read; what cannot is added to `faults`."""
        try:
            seq, boot = self._seq_of(item), self._boot_of(item)
            sender = Sender(device_id, self._units and {channel: item.find(path) for channel, path in self._units.items()})
            values = self._values_of(item, context, faults, sender)
            if not values:
                faults += self._nothing(item) if not faults else []
                return None
            event_us = self._time.event_us(item, device_id, context.arrived_us, context.limits)
        except PayloadError as error:
            faults.append(Fault(error.reason, str(error)))
            return None
        return Reading(
            device_id=device_id,
            event_us=context.arrived_us if event_us is None else event_us,
            arrived_us=context.arrived_us,
            time_quality=context.clock_quality,
            boot=boot,
            seq=seq,
            sensor_time=event_us is not None,
            values=values,
        )

    def _nothing(self, item: Item) -> list[Fault]:
        """Returns what is wrong with an item without values: nothing, where devices are known to send other things, too."""
        if self._sensors.payload is None:
            return [Fault("no_values", "0 values; a reading has 1 to 64")]
        if self._payload.unknown_channels == "ignore":
            self._counted["messages_without_values"] += 1
            return []
        names = ", ".join(str(name)[:40] for name in list(item.content)[:8]) if isinstance(item.content, dict) else ""
        return [Fault("no_values", f"none of its values is a channel of the class {self._sensors.name!r}: {names or 'there are none'}")]

    def _device_id(self, item: Item, context: Context) -> str | None:
        """Returns None for a device of a class that reads the message, too."""
        if self._payload.device is None:
            return self._topic_device(item, context)
        names = [item.find(path) for path in self._device] or [item.key]
        if any(isinstance(name, bool) or not isinstance(name, str | int) or name == "" for name in names):
            raise PayloadError("bad_device", f"no device is named at {self._payload.device!r}")
        assert self._devices is not None
        return self._devices.device(self._sensors, "-".join(shown(name, 200) for name in names), context.beside)

    def _topic_device(self, item: Item, context: Context) -> str:
        """Returns the topic's device, which TinyBeam's own JSON may repeat."""
        named = item.content.get("device") if self._sensors.payload is None and isinstance(item.content, dict) else None
        if named not in (None, context.device_id):
            raise PayloadError("bad_device", f"the reading says device {shown(named)!r}, its topic {context.device_id!r}")
        return context.device_id

    def _seq_of(self, item: Item) -> int | None:
        seq = item.find(self._seq)
        if seq is MISSING or seq is None:
            return None
        if self._sensors.payload and isinstance(seq, str) and seq.isascii() and seq.isdecimal() and len(seq) < 20:
            seq = int(seq)
        if isinstance(seq, bool) or not isinstance(seq, int):
            raise PayloadError("wrong_type", f"seq {shown(seq)!r} is no whole number")
        check_stamp(seq, None)
        return seq

    def _boot_of(self, item: Item) -> str | None:
        boot = item.find(self._boot)
        if boot is MISSING or boot is None:
            return None
        if self._sensors.payload and isinstance(boot, int):
            boot = shown(boot, 65)
        if not isinstance(boot, str):
            raise PayloadError("wrong_type", f"boot {shown(boot)!r} is not a short word")
        check_stamp(None, boot)
        return boot

    def _number(self, item: Item) -> int | None:
        """Returns the number of an item that is no reading, if it can be read."""
        try:
            return self._seq_of(item)
        except PayloadError:
            return None

    def _values_of(self, item: Item, context: Context, faults: list[Fault], sender: Sender) -> dict[str, float]:
        node = self._node(item)
        if self._channel is not None:
            return self._named(node, faults, sender)
        if isinstance(node, dict) or self._sensors.payload is None:
            return self._value_map.read(node, faults, sender)
        name = context.channel or self._only
        if name is None or isinstance(node, list):
            kind = "a list" if isinstance(node, list) else "a single value"
            raise PayloadError("wrong_type", f"{kind}, and no setting says of which channel: {{channel}} in topics, or payload.channel")
        values: dict[str, float] = {}
        self._value_map.add(name, node, values, faults, sender)
        return values

    def _node(self, item: Item) -> Any:
        content = item.content
        if self._values is None:
            inner = content.get("values") if isinstance(content, dict) else None
            return inner if isinstance(inner, dict) else content
        node = item.find(self._values)
        if node is MISSING:
            hint = "" if self._sensors.payload else "; [sensors.payload] describes messages of another layout"
            raise PayloadError("wrong_type", f"not a reading: there is nothing at {self._payload.values!r}{hint}")
        return node

    def _named(self, node: Any, faults: list[Fault], sender: Sender) -> dict[str, float]:
        """Reads values that come with their names: one, or a list of them."""
        assert self._channel is not None
        assert self._value is not None
        values: dict[str, float] = {}
        for entry in (node if isinstance(node, list) else [node])[:1000]:
            name, raw = self._channel.find(entry), self._value.find(entry)
            if not isinstance(name, str | int) or raw is MISSING:
                faults.append(Fault("wrong_type", f"a value without {self._payload.channel!r} and {self._payload.value!r}"))
                continue
            self._value_map.add(shown(name, 200), raw, values, faults, sender)
        return values


def _check_keys(table: Any) -> None:
    """Raises PayloadError for a table whose keys are no devices: a time stands among them."""
    plain = {key: value for key, value in table.items() if not isinstance(value, dict | list)} if isinstance(table, dict) else {}
    if time := time_path(plain):
        raise PayloadError("wrong_type", f"{time!r} is a time, and the keys here are to be the names of devices: this is another message")


def _path(text: str | None) -> Path | None:
    return None if text is None else Path.parse("path", text)


def _bytes(item: Item) -> bytes:
    """Writes an item of a list as JSON, for its reject."""
    try:
        return json.dumps(item.content, default=str, ensure_ascii=False).encode(errors="replace")[:OVERSIZED_KEPT_BYTES]
    except (ValueError, TypeError, RecursionError):
        return b""
