"""Knows which sites are fields, as of a time: those whose soil and crop the registry says and the tables know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.irrigation import crops
from pipeline.irrigation.crops import Crop, Soil
from schemas.records import Site
from schemas.registry import Registry


@dataclass(frozen=True, slots=True)
class Field:
    """Is a site of the registry with what the tables say of its soil and crop."""

    site: Site
    soil: Soil
    crop: Crop

    def age(self, day: datetime) -> int:
        """Counts the days since sowing; as in mid-season where the registry does not say when that was."""
        planted = self.site.planted
        return self.crop.middle if planted is None else (day.date() - planted.astimezone(UTC).date()).days

    @property
    def named_soil(self) -> tuple[str, Soil]:
        """Returns the soil with the name that the registry uses."""
        return str(self.site.soil), self.soil


class Fields:
    """Knows the sites that are fields, as of a time."""

    def __init__(self, registry: Registry) -> None:
        self._fields: dict[str, list[Field]] = {}
        for site in registry.sites:
            if field := _field(site):
                self._fields.setdefault(site.site_id, []).append(field)

    def __contains__(self, site_id: str) -> bool:
        return site_id in self._fields

    def at(self, site_id: str, time: datetime) -> Field | None:
        begun = (field for field in self._fields.get(site_id, ()) if field.site.valid_from <= time)
        return next((field for field in begun if field.site.valid_to is None or time < field.site.valid_to), None)


def without_balance(registry: Registry) -> Iterator[str]:
    """Yields a sentence for each site that has a soil or a crop and yet will get no water balance."""
    for site in registry.sites:
        if (site.soil or site.crop) and not _field(site):
            yield (
                f"site {site.site_id} gets no irrigation need: soil {site.soil!r} must be one of {', '.join(crops.SOILS)}, "
                f"and crop {site.crop!r} one of {', '.join(crops.CROPS)}"
            )


def _field(site: Site) -> Field | None:
    soil = crops.soil(site.soil or "")
    crop = crops.crop(site.crop or "", site.planted, site.latitude)
    return Field(site, soil, crop) if soil and crop else None
