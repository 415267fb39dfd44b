"""Declares the rules of source `deviation`: how far an hour of a device's channel is from what is usual for it, by its own past."""

from __future__ import annotations

from typing import Annotated, ClassVar

from program.settings import setting
from schemas.rules.rule import ALL, BaseRule, Patterns, matches


class DeviationRule(BaseRule, frozen=True, kw_only=True, tag="deviation"):
    """Opens an alert when the mean of an hour is further from the median of its past than so many usual spreads: a robust z-score."""

    TO_DO: ClassVar[str] = "Look at the device and what it measures: it is not as its own past was"

    channel: Annotated[str, setting("Name of the measured quantity", min_length=1, example="temperature")]
    above: Annotated[float, setting("Opens when the distance is more than so many usual spreads", gt=0, le=1e6)] = 6.0
    hysteresis: Annotated[float, setting("Resolves only when it is less by this", ge=0)] = 1.0
    past_hours: Annotated[int, setting("How far the past reaches; half of it must be known", ge=24, le=1440)] = 168
    least_spread: Annotated[
        float, setting("Smallest spread that counts, in the channel's unit. 0: a channel that never moves is not judged", ge=0, example=0.2)
    ] = 0.0
    devices: Annotated[Patterns, setting("Patterns of device ids", example=["cold-store-*"])] = ALL
    sites: Annotated[Patterns, setting("Patterns of site ids")] = ALL

    def watches_device(self, device_id: str, site_id: str | None) -> bool:
        return matches(device_id, self.devices) and matches(site_id, self.sites)
