"""Declares the rules of source `rate`: how fast a device's channel changes."""

from __future__ import annotations

from typing import Annotated, ClassVar

from program.settings import setting
from schemas.rules.rule import ALL, LimitRule, Patterns, matches


class RateRule(LimitRule, frozen=True, kw_only=True, tag="rate"):
    """Opens an alert when the mean of an hour changed by more than the limit for each hour since the hour that it is compared with."""

    TO_DO: ClassVar[str] = "Look at the device and what it measures: it changes faster than the rule allows"

    channel: Annotated[str, setting("Name of the measured quantity", min_length=1, example="level")]
    over_hours: Annotated[int, setting("How many hours before the hour that it is compared with is", ge=1, le=168)] = 1
    devices: Annotated[Patterns, setting("Patterns of device ids", example=["tank-*"])] = ALL

    def watches_device(self, device_id: str, site_id: str | None) -> bool:
        return matches(device_id, self.devices) and matches(site_id, self.sites)
