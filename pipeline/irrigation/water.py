"""Holds the formulas of FAO Irrigation and Drainage Paper 56 (Allen, Pereira, Raes, Smith 1998) that an irrigation need takes.

Water is in mm, temperature in deg C, moisture in m3/m3, depth in m. No rain and no irrigation are foreseen.
"""

from __future__ import annotations

import math

from pipeline.irrigation.crops import Crop, Soil

HORIZON_DAYS = 14
"""How far stress is foreseen: as far as the soil model looks."""

_SOLAR_CONSTANT = 0.0820  # MJ/m2/min
_MM_PER_MJ = 0.408


def radiation(latitude: float, day_of_year: int) -> float:
    """Returns the extraterrestrial radiation Ra of a day in MJ/m2 (equations 21 to 25); `latitude` in degrees."""
    phi, turn = math.radians(latitude), 2 * math.pi * day_of_year / 365
    distance, declination = 1 + 0.033 * math.cos(turn), 0.409 * math.sin(turn - 1.39)
    sunset = math.acos(min(max(-math.tan(phi) * math.tan(declination), -1.0), 1.0))
    height = sunset * math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.sin(sunset)
    return 24 * 60 / math.pi * _SOLAR_CONSTANT * distance * height


def hargreaves(low: float, high: float, radiation_mj: float) -> float:
    """Returns the reference evapotranspiration of a day from its temperatures alone (equation 52)."""
    return max(0.0, 0.0023 * ((low + high) / 2 + 17.8) * math.sqrt(high - low) * _MM_PER_MJ * radiation_mj)


def available(soil: Soil, depth: float) -> float:
    """Returns the total available water TAW of the root zone (equation 82)."""
    return 1000 * (soil.field_capacity - soil.wilting_point) * depth


def depletion(soil: Soil, depth: float, moisture: float) -> float:
    """Returns what the root zone lacks to field capacity, Dr (equation 87): 0 when wetter, for it drains off; TAW at the wilting point."""
    return min(max(1000 * (soil.field_capacity - moisture) * depth, 0.0), available(soil, depth))


def readily_available(crop: Crop, total: float, transpired: float | None) -> float:
    """Returns the readily available water RAW (equation 83). `transpired` is the crop's evapotranspiration of the day, by which p is
    adjusted (note of Table 22); unknown, p is that of the table, which is meant for 5 mm.
    """
    fraction = crop.depletion_fraction if transpired is None else min(max(crop.depletion_fraction + 0.04 * (5 - transpired), 0.1), 0.8)
    return fraction * total


def days_until_stress(soil: Soil, crop: Crop, age: int, depleted: float, reference: float) -> float:
    """Returns the days until depletion passes RAW when every day has today's reference evapotranspiration: 0 if it has, at most
    HORIZON_DAYS.

    The crop goes on growing: its coefficient moves on, and its roots reach into soil that is at field capacity.
    """
    left = _left(soil, crop, age, depleted, reference)
    if left < 0:
        return 0.0
    for day in range(1, HORIZON_DAYS + 1):
        depleted += crop.coefficient(age + day) * reference
        before, left = left, _left(soil, crop, age + day, depleted, reference)
        if left < 0:
            return day - 1 + before / (before - left)
    return float(HORIZON_DAYS)


def _left(soil: Soil, crop: Crop, age: int, depleted: float, reference: float) -> float:
    """Returns the readily available water that is still there."""
    total = available(soil, crop.root_depth(age))
    return readily_available(crop, total, crop.coefficient(age) * reference) - depleted
