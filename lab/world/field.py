"""Simulates fields: each of the registry's ten goes through a season on real weather, and its probe measures it.

Deterministic. Days count from the first midnight of the season; where a season ends, its last hour stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from schemas.registry import Registry
from training.soil.probe import record
from training.soil.season import simulate_season

REGISTRY = Path(__file__).with_name("registry.toml")
KIND = "soil"
CHANNELS = ("moisture", "temperature")
GATEWAYS = ("gateway-north", "gateway-south")
FIRST_DAY = 1.0
"""The probe sends its first reading at the end of the first day."""

_SOUTHERN_SEASONS = (6, 7, 8, 9, 10, 11)
"""Months of planting: four months later it is summer there."""
_SEASONS: Mapping[str, tuple[str, str, int]] = MappingProxyType(
    {
        "mill-field": ("gateway-north", "champion", 2012),
        "creek-field": ("gateway-north", "champion", 2011),
        "windmill-field": ("gateway-north", "champion", 2011),
        "school-field": ("gateway-north", "champion", 2006),
        "river-field": ("gateway-north", "champion", 2010),
        "olive-field": ("gateway-south", "tunis", 1994),
        "well-field": ("gateway-south", "tunis", 1991),
        "stone-field": ("gateway-south", "tunis", 1992),
        "wall-field": ("gateway-south", "tunis", 1991),
        "fig-field": ("gateway-south", "tunis", 1993),
    }
)
"""Site -> gateway, climate and year of planting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Holds a field, its probe and the probe's gateway. `days`, `moisture` (m3/m3) and `temperature` (deg C) are hourly.

    In history the probe sends once an hour.
    """

    interval_hours: ClassVar[int] = 1
    burst_size: ClassVar[int] = 1
    interval_ticks: ClassVar[int] = 1

    device_id: str
    site_id: str
    gateway_id: str
    days: np.ndarray[Any, np.dtype[np.float64]]
    moisture: np.ndarray[Any, np.dtype[np.float64]]
    temperature: np.ndarray[Any, np.dtype[np.float64]]

    @property
    def topic(self) -> str:
        return topic(self.gateway_id, self.device_id)

    def message(self, time: datetime, seq: int, boot: str, day: float) -> bytes:
        """Encodes what the probe publishes on that day of its season."""
        return reading(time, seq, boot, self.values(day))

    def values(self, day: float) -> dict[str, float]:
        """Returns what the probe measures, with the digits it has."""
        moisture, temperature = (float(np.interp(day, self.days, series)) for series in (self.moisture, self.temperature))
        return {"moisture": round(moisture, 4), "temperature": round(temperature, 2)}


def fields(registry: Registry) -> tuple[Field, ...]:
    """Simulates the fields of the registry; each takes about half a second."""
    probes = [device for device in registry.devices if device.kind == KIND]
    return tuple(_field(registry, number, device.device_id, device.site_id) for number, device in enumerate(probes))


def write_registry(directory: Path, planted: datetime) -> Path:
    """Writes the registry with the day on which every season began: history is moved so that it ends now, so no fixed file can name it.

    The weather is that of a summer, so the sun must be too: the fields lie south of the equator if that is where the season ends in summer.
    """
    text = REGISTRY.read_text().replace("\ncrop = ", f"\nplanted = {planted:%Y-%m-%d}\ncrop = ")
    file = directory / REGISTRY.name
    file.write_text(text.replace("\nlatitude = ", "\nlatitude = -") if planted.month in _SOUTHERN_SEASONS else text)
    return file


def topic(gateway_id: str, device_id: str) -> str:
    """Gateways share the lab's broker, so a gateway's topics begin with its id. Device `+` gives the topic that it subscribes to."""
    return f"{gateway_id}/sensors/{device_id}/readings"


def reading(time: datetime, seq: int, boot: str, values: Mapping[str, float]) -> bytes:
    """Encodes one reading as a sensor sends it."""
    return json.dumps({"time": time.timestamp(), "seq": seq, "boot": boot, "values": dict(values)}, separators=(",", ":")).encode()


def _field(registry: Registry, number: int, device_id: str, site_id: str) -> Field:
    gateway_id, climate, year = _SEASONS[site_id]
    site = next(site for site in registry.sites if site.site_id == site_id)
    if site.soil is None or site.crop is None:
        raise ValueError(f"site {site_id} of the lab needs a soil and a crop")
    crop = site.crop.removeprefix("Winter")  # to the teacher wheat is wheat: it knows the day of sowing
    probe = record(simulate_season(climate, site.soil, crop, year, seed=number), np.random.default_rng(number))
    return Field(
        device_id=device_id,
        site_id=site_id,
        gateway_id=gateway_id,
        days=probe.moments,
        moisture=probe.moisture,
        temperature=probe.temperature,
    )
