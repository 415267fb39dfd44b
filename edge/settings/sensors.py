"""Declares [[sensors]]: classes of devices, and what is asked of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from edge import config_check
from edge.channels import ChannelKind
from edge.frame import MAX_CHANNEL
from edge.settings.payload import PayloadSettings
from edge.settings.thresholds import Channel, Threshold
from edge.spectrum import time_domain_units
from edge.units import Range, conversion, possible
from program.settings import Settings, require, setting

HOUR = 3600
FrameChannel = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_CHANNEL - 1}}}$",
        extra={"form": f"a channel of frames: at most {MAX_CHANNEL} letters, digits, dots, dashes and underscores"},
    ),
]
_UNITS = 'a table of channel and unit, such as { moisture = "m3/m3" }'
_NUMBERS = "a table of channel and number, such as { temperature = -40 }"
_DEADBANDS = "a table of channel and number, such as { moisture = 0.01 }"


class Sensors(Settings, frozen=True, kw_only=True):
    """Describes a class of devices: which they are, what they measure, what is asked of them. The first class whose pattern fits counts."""

    name: Annotated[str, setting("Name of the class, unique in the file", min_length=1, example="soil")]
    devices: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        setting("Names or patterns (*, ?, [a-c]) of its devices", min_length=1, example=["soil-*"]),
    ]
    channels: Annotated[
        Mapping[Channel, str], setting("Channels of readings, with their units", form=_UNITS, example={"moisture": "m3/m3"})
    ] = {}
    kinds: Annotated[
        Mapping[Channel, ChannelKind],
        setting("Channels that are no numbers but states or counters, a table each: [sensors.kinds.door]", since="0.3.0"),
    ] = {}
    frames: Annotated[
        Mapping[FrameChannel, str],
        setting("Channels of frames (raw samples), with the samples' units", form=_UNITS, example={"acceleration": "m/s2"}),
    ] = {}
    valid_min: Annotated[
        Mapping[Channel, float],
        setting(
            "By channel: a lower value is set aside",
            form=_NUMBERS,
            example={"temperature": -40.0},
            since="0.3.0",
        ),
    ] = {}
    valid_max: Annotated[
        Mapping[Channel, float],
        setting(
            "By channel: a higher value is set aside",
            form=_NUMBERS,
            example={"temperature": 60.0},
            since="0.3.0",
        ),
    ] = {}
    retained: Annotated[
        bool, setting("Whether a retained message, which the broker kept from earlier, is a reading. Else it is left out", since="0.3.0")
    ] = False
    payload: Annotated[
        PayloadSettings | None, setting("Messages that are not TinyBeam's own JSON: see how-to/bring-your-own-payload.md", since="0.3.0")
    ] = None
    model: Annotated[str | None, setting("One of [[models]]; its channels must be among these", example="soil")] = None
    deadband: Annotated[
        Mapping[Channel, Annotated[float, Meta(gt=0)]],
        setting(
            "By channel: windows whose values stay within +-deadband of the mean sent last wait, and are sent as one longer summary. "
            "None: each at once",
            form=_DEADBANDS,
            example={"moisture": 0.005},
        ),
    ] = {}
    hold_seconds: Annotated[int, setting("How long such windows wait at most; never beyond the hour", ge=1, le=HOUR)] = HOUR
    thresholds: tuple[Threshold, ...] = ()

    def __post_init__(self) -> None:
        require(self.channels or self.frames, "channels or frames must name a channel")
        config_check.check_frames(self.channels, self.frames)
        config_check.check_unique("thresholds", [threshold.name for threshold in self.thresholds])
        self._check_ranges()
        self._check_payload()
        config_check.check_kinds(self)
        for channel in self.deadband:
            config_check.check_channel(f"deadband.{channel}", channel, self.units)
        for number, threshold in enumerate(self.thresholds, 1):
            config_check.check_channel(f"thresholds[{number}].channel", threshold.channel, self.units)
            config_check.check_threshold(f"thresholds[{number}]", threshold, self.units[threshold.channel], self.valid(threshold.channel))

    def _check_ranges(self) -> None:
        for name, limits in (("valid_min", self.valid_min), ("valid_max", self.valid_max)):
            for channel in limits:
                config_check.check_channel(f"{name}.{channel}", channel, self.channels)
        for channel, unit in self.channels.items():
            low, high = self.valid(channel).low, self.valid(channel).high
            require(low < high, f"channels.{channel}: no value in {unit} can be valid: from {low:g} to {high:g}")

    def _check_payload(self) -> None:
        if self.payload:
            config_check.check_meanings(self.payload, self.channels)

    def valid(self, channel: str) -> Range:
        """Returns which values of a channel can be true: what its unit allows, and what the class says."""
        declared = Range(self.valid_min.get(channel, -math.inf), self.valid_max.get(channel, math.inf))
        kind = self.kinds.get(channel)
        return possible(self.units.get(channel, "")).within(declared).within(kind.VALID if kind else Range())

    def factor(self, channel: str) -> float:
        """Returns by what a number of a message is multiplied to be one in the channel's unit."""
        if self.payload is None:
            return 1.0
        to = self.channels[channel]
        convert = conversion(self.payload.units.get(channel, to), to)
        return self.payload.scale.get(channel, 1.0) * (convert.scale if convert else 1.0)

    @property
    def inputs(self) -> Mapping[str, str]:
        """Returns what a model can be given, with units: numbers by their names, and what the other kinds of channels offer."""
        inputs = {channel: unit for channel, unit in self.units.items() if channel not in self.kinds}
        for channel, kind in self.kinds.items():
            inputs |= kind.inputs(channel, self.channels[channel])
        return inputs

    @property
    def units(self) -> Mapping[str, str]:
        """Returns the unit of everything that is summarised: the channels, and the time-domain features of the frames' channels."""
        if not self.frames:
            return self.channels
        units = dict(self.channels)
        for channel, unit in self.frames.items():
            units |= time_domain_units(channel, unit)
        return units
