"""Declares the rules of source `event`: a threshold or a model of a gateway changed its state."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from program.settings import setting
from schemas.rules.rule import ALL, LONGEST_MESSAGE, BaseRule, Patterns, matches


class EventRule(BaseRule, frozen=True, kw_only=True, tag="event"):
    """The states in `opens` open an alert of the device, any other state resolves it."""

    TO_DO: ClassVar[str] = "Look at the device; the view events has what led to it"

    event: Annotated[str, setting("Name of the threshold, or of the model whose label changes", min_length=1, example="soil")]
    opens: Annotated[
        Annotated[tuple[str, ...], Meta(min_length=1)], setting("States or labels that open an alert", example=["soon", "now"])
    ]
    devices: Annotated[Patterns, setting("Patterns of device ids", example=["soil-*"])] = ALL
    sites: Annotated[Patterns, setting("Patterns of site ids")] = ALL

    unit: Annotated[
        str | None,
        setting("Unit of the threshold, or of the model's score, for people. None: not said", example="m3/m3", since="0.3.0"),
    ] = None

    words: Annotated[
        dict[str, Annotated[str, Meta(min_length=1, max_length=LONGEST_MESSAGE)]],
        setting(
            "What people read of a state. One that is not named: which channel is how, or what the model says",
            example={"failing": "the bearing is failing", "normal": "the bearing sounds normal again"},
            since="0.3.0",
        ),
    ] = msgspec.field(default_factory=dict)

    def watches(self, device_id: str, site_id: str | None) -> bool:
        return matches(device_id, self.devices) and matches(site_id, self.sites)
