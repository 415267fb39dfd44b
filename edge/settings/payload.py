"""Declares [sensors.payload]: where in a message of a class things stand, what they are called and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from msgspec import Meta

from edge.settings.paths import Path as MessagePath
from edge.settings.thresholds import Channel
from edge.settings.topics import TopicPattern
from program.settings import Settings, require, setting

UnknownChannels = Literal["warn", "ignore", "reject"]
NullValues = Literal["reject", "ignore"]
ARRIVAL = "arrival"
ITEM_KEY = "@key"
_NUMBERS = "a table of channel and number, such as { moisture = 0.01 }"
Text = Annotated[str, Meta(min_length=1)]


class DocumentFormat(StrEnum):
    """Says how the bytes of a message are written."""

    JSON = "json"
    CBOR = "cbor"
    SENML = "senml"
    NUMBER = "number"


class TimeUnit(StrEnum):
    """Says what a number that is a time counts since 1970."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"


class TextNumbers(StrEnum):
    """Says whether a number may come as text."""

    NO = "no"
    POINT = "point"
    COMMA = "comma"


class PayloadSettings(Settings, frozen=True, kw_only=True):
    """Describes messages that are not TinyBeam's own JSON. A path names keys and places, as in `a.b[0]`; `@` is all."""

    preset: Annotated[
        Text | None,
        setting("Settings of a known sender, to which those of this table are added", example="zigbee2mqtt", since="0.3.0"),
    ] = None
    topics: Annotated[
        tuple[Text, ...],
        setting(
            "Topic filters of these devices instead of mqtt.topic. {device} and {channel} name levels; the only + is the device",
            example=["zigbee2mqtt/{device}"],
            since="0.3.0",
        ),
    ] = ()
    format: Annotated[
        DocumentFormat,
        setting("How a message is written: JSON (also lines of it), CBOR, SenML or a bare number; gzip of each is read", since="0.3.0"),
    ] = DocumentFormat.JSON
    items: Annotated[
        Text | None, setting("Path to the readings in a message, if it holds several. None: the message, or its array", since="0.3.0")
    ] = None
    values: Annotated[
        Text | None,
        setting("Path to the values of a reading. None: the table `values`, else the whole reading", example="payload", since="0.3.0"),
    ] = None
    channel: Annotated[
        Text | None, setting("Path to a channel's name, where each value comes with its name", example="n", since="0.3.0")
    ] = None
    value: Annotated[Text | None, setting("Path to the value that goes with `channel`", example="v", since="0.3.0")] = None
    device: Annotated[
        Text | None,
        setting(
            "Path to the device's name, or paths with commas between, where the topic has none; @key: the key of a reading", since="0.3.0"
        ),
    ] = None
    device_prefix: Annotated[str, setting("Put before each device's name, so that senders stay apart", since="0.3.0")] = ""
    hash_key_file: Annotated[
        Path | None, setting("A secret file: devices are then called by a hash with this key, for names that are personal", since="0.3.0")
    ] = None
    time: Annotated[
        Text,
        setting("Path to the time of a reading, or `arrival` for devices without a clock", example="arrival", since="0.3.0"),
    ] = "time"
    time_unit: Annotated[TimeUnit, setting("What a time that is a number counts since 1970", since="0.3.0")] = TimeUnit.SECONDS
    zone: Annotated[
        Text | None, setting("Time zone of times that are written without an offset", example="Europe/Berlin", since="0.3.0")
    ] = None
    seq: Annotated[Text, setting("Path to the device's own counter", since="0.3.0")] = "seq"
    boot: Annotated[Text, setting("Path to the word that the device changes when it starts", since="0.3.0")] = "boot"
    rename: Annotated[
        Mapping[Text, Channel],
        setting(
            "By name or pattern in the message (nested: joined by dots): the channel",
            example={"soil_moisture": "moisture"},
            since="0.3.0",
        ),
    ] = {}
    ignore: Annotated[
        tuple[Text, ...], setting("Names or patterns of values that nobody needs", example=["battery", "linkquality"], since="0.3.0")
    ] = ()
    unknown_channels: Annotated[
        UnknownChannels, setting("What becomes of other values: none is stored; `warn` logs each name once", since="0.3.0")
    ] = "warn"
    null_values: Annotated[NullValues, setting("What becomes of a value that is null", since="0.3.0")] = "reject"
    text_numbers: Annotated[TextNumbers, setting("Whether numbers may come as text, and with which decimal sign", since="0.3.0")] = (
        TextNumbers.NO
    )
    booleans: Annotated[
        tuple[Channel, ...], setting("Channels whose true and false, on and off, count as 1 and 0", example=["contact"], since="0.3.0")
    ] = ()
    scale: Annotated[
        Mapping[Channel, float], setting("By channel: what its value is multiplied by first", form=_NUMBERS, since="0.3.0")
    ] = {}
    offset: Annotated[Mapping[Channel, float], setting("By channel: what is added then", form=_NUMBERS, since="0.3.0")] = {}
    units: Annotated[
        Mapping[Channel, str],
        setting("By channel: the unit in the message, if it is another; it is converted", example={"moisture": "%"}, since="0.3.0"),
    ] = {}

    unit_at: Annotated[
        Mapping[Channel, Text],
        setting(
            "By channel: path to its unit, where the message says it; it is converted", example={"temperature": "TempUnit"}, since="0.3.0"
        ),
    ] = {}

    def __post_init__(self) -> None:
        for name in ("items", "values", "channel", "value", "seq", "boot"):
            _check_path(name, getattr(self, name))
        device_paths(self.device)
        for channel, path in self.unit_at.items():
            _check_path(f"unit_at.{channel}", path)
        _check_path("time", None if self.time == ARRIVAL else self.time)
        for number, topic in enumerate(self.topics, 1):
            TopicPattern.parse(f"topics[{number}]", topic, needs_device=self.device is None)
        require((self.channel is None) == (self.value is None), "channel and value go together: a name, and what it is the name of")
        require(all(self.scale.values()), "scale must not be 0")
        require(self.zone is None or _is_zone(self.zone), f"zone {self.zone!r} is not known here, as Europe/Berlin is")


def device_paths(text: str | None) -> tuple[MessagePath, ...]:
    """Returns the paths that a device's name is joined of, none where it does not stand in the item. Raises ConfigError."""
    if text is None or text == ITEM_KEY:
        return ()
    return tuple(MessagePath.parse("device", each.strip()) for each in text.split(","))


def _check_path(name: str, path: str | None) -> None:
    if path is not None:
        MessagePath.parse(name, path)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
