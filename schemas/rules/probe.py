"""Declares the rules of source `probe`: what a device of a field measures cannot be believed."""

from __future__ import annotations

from typing import Annotated, ClassVar

from program.settings import setting
from schemas.rules.rule import ALL, BaseRule, Patterns, matches


class ProbeRule(BaseRule, frozen=True, kw_only=True, tag="probe"):
    """Opens an alert when moisture, temperature or rain of a field's device is impossible, frozen or of no known unit."""

    TO_DO: ClassVar[str] = "Look at the probe, its cable and the unit that its gateway declares"

    devices: Annotated[Patterns, setting("Patterns of device ids", example=["soil-*"])] = ALL
    sites: Annotated[Patterns, setting("Patterns of site ids")] = ALL

    def watches(self, device_id: str, site_id: str | None) -> bool:
        return matches(device_id, self.devices) and matches(site_id, self.sites)
