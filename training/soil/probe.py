"""Records a season as a probe in the field does: moisture and temperature through the day, with its errors.

Water leaves by day and arrives within hours; each probe has an offset and a gain of its own, which no calibration removed, and every
reading is noisy. Deterministic for its generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.soil.season import Season

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class ProbeRecord:
    """Holds window means in order. `moments` are the ends of the windows in days since the season's first midnight."""

    moments: Floats
    window_seconds: int
    moisture: Floats
    temperature: Floats


def record(season: Season, rng: np.random.Generator, window_seconds: int = 3600) -> ProbeRecord:
    """Returns what a probe with errors drawn from `rng` reports of the season, in windows of at most a day."""
    per_day = 86_400 // window_seconds
    moments = 1.0 + np.arange(1, (len(season.dates) - 1) * per_day + 1) / per_day
    centres = moments - 0.5 / per_day
    gain, offset = rng.normal(1.0, 0.04), rng.normal(0.0, 0.008)
    moisture = gain * _moisture(season, centres, rng) + offset + rng.normal(0.0, 0.002, len(centres))
    temperature = _temperature(season, centres) + rng.normal(0.0, 0.7) + rng.normal(0.0, 0.3, len(centres))
    return ProbeRecord(moments, window_seconds, np.maximum(moisture, 0.0), temperature)


def _moisture(season: Season, moments: Floats, rng: np.random.Generator) -> Floats:
    """Moves between the ends of two days: down with the sun, or up within three hours of a shower or a watering."""
    day = np.clip(np.floor(moments).astype(int), 1, len(season.moisture) - 1)
    hour = (moments - day) * 24
    start, change = season.moisture[day - 1], np.diff(season.moisture)[day - 1]
    drying = (1 - np.cos(np.pi * np.clip((hour - 6) / 12, 0, 1))) / 2
    wetting = np.clip((hour - rng.uniform(0, 21, len(season.moisture))[day]) / 3, 0, 1)
    return np.asarray(start + change * np.where(change > 0, wetting, drying))


def _temperature(season: Season, moments: Floats) -> Floats:
    """Is coldest at five, warmest at fifteen hours."""
    day = np.clip(np.floor(moments).astype(int), 0, len(season.low) - 1)
    hour = (moments - day) * 24
    middle, half = (season.low + season.high) / 2, (season.high - season.low) / 2
    phase = np.where((hour >= 5) & (hour < 15), (hour - 5) / 10, 1 + ((hour - 15) % 24) / 14)
    return np.asarray(middle[day] - half[day] * np.cos(np.pi * phase))
