"""Says what the soil model looks at. The device tells neither soil nor crop, so the history of its own moisture must: how wet and how dry
it has been stands for field capacity and for the driest the farmer lets it get, and how fast it falls stands for the crop.

FIELD_RECIPE is for a model that knows the soil from the registry as well: what a crop can use of its water, and how much of that is gone.
"""

from __future__ import annotations

from typing import Any

CHANNELS = {"moisture": "m3/m3", "temperature": "degC"}
CONSTANTS = ("field_capacity", "available")
"""What the registry knows of a field's soil, in m3/m3: moisture at field capacity, and how much of it a crop can use."""
RANGES = {"moisture": [0.0, 1.0], "temperature": [-50.0, 60.0]}
"""What a probe in a field can measure, in these units: -127 and 85 degC are what a broken one sends."""

_STEPS: tuple[dict[str, Any], ...] = (
    {"name": "now", "op": "ewma", "of": ["moisture"], "hours": 3},
    {"name": "day", "op": "ewma", "of": ["moisture"], "hours": 24},
    {"name": "days", "op": "ewma", "of": ["moisture"], "hours": 72},
    {"name": "weeks", "op": "ewma", "of": ["moisture"], "hours": 240},
    {"name": "wettest", "op": "peak", "of": ["days"], "hours": 17520},
    {"name": "flooded", "op": "peak", "of": ["now"], "hours": 17520},
    {"name": "recent_wettest", "op": "peak", "of": ["now"], "hours": 240},
    {"name": "driest", "op": "trough", "of": ["now"], "hours": 17520},
    {"name": "fall_day", "op": "difference", "of": ["day", "now"]},
    {"name": "fall_days", "op": "difference", "of": ["days", "now"]},
    {"name": "fall_weeks", "op": "difference", "of": ["weeks", "now"]},
    {"name": "fastest", "op": "peak", "of": ["fall_days"], "hours": 480},
    {"name": "span", "op": "difference", "of": ["wettest", "driest"]},
    {"name": "reserve", "op": "difference", "of": ["now", "driest"]},
    {"name": "deficit", "op": "difference", "of": ["wettest", "now"]},
    {"name": "fall_since_wet", "op": "difference", "of": ["recent_wettest", "now"]},
    {"name": "position", "op": "ratio", "of": ["reserve", "span"], "floor": 0.02},
    {"name": "dryness", "op": "ratio", "of": ["now", "wettest"], "floor": 0.02},
    {"name": "speed_day", "op": "ratio", "of": ["fall_day", "wettest"], "floor": 0.02},
    {"name": "speed_days", "op": "ratio", "of": ["fall_days", "wettest"], "floor": 0.02},
    {"name": "speed_weeks", "op": "ratio", "of": ["fall_weeks", "wettest"], "floor": 0.02},
    {"name": "reserve_days", "op": "ratio", "of": ["reserve", "fall_days"], "floor": 0.004},
    {"name": "warmth", "op": "ewma", "of": ["temperature"], "hours": 24},
    {"name": "warmth_weeks", "op": "ewma", "of": ["temperature"], "hours": 240},
    {"name": "from_warmth", "op": "difference", "of": ["temperature", "warmth"]},
    {"name": "distance", "op": "magnitude", "of": ["from_warmth"]},
    {"name": "swing", "op": "ewma", "of": ["distance"], "hours": 72},
    {"name": "age", "op": "age", "hours": 1440},
)

RECIPE: dict[str, Any] = {
    "young_hours": 24,
    "gap_hours": 72,
    "steps": list(_STEPS),
    "inputs": [
        "now", "wettest", "flooded", "driest", "deficit", "span", "position", "dryness", "speed_day", "speed_days", "speed_weeks",
        "fall_day", "fall_days", "fall_since_wet", "fastest", "reserve_days", "warmth", "warmth_weeks", "swing", "age",
    ],
}  # fmt: skip

_SOIL_STEPS: tuple[dict[str, Any], ...] = (
    {"name": "lost", "op": "difference", "of": ["field_capacity", "now"]},
    {"name": "wettest_lost", "op": "difference", "of": ["field_capacity", "wettest"]},
    {"name": "lost_share", "op": "ratio", "of": ["lost", "available"], "floor": 0.02},
    {"name": "deficit_share", "op": "ratio", "of": ["deficit", "available"], "floor": 0.02},
    {"name": "wettest_share", "op": "ratio", "of": ["wettest_lost", "available"], "floor": 0.02},
    {"name": "share_day", "op": "ratio", "of": ["fall_day", "available"], "floor": 0.02},
    {"name": "share_days", "op": "ratio", "of": ["fall_days", "available"], "floor": 0.02},
    {"name": "share_weeks", "op": "ratio", "of": ["fall_weeks", "available"], "floor": 0.02},
)

FIELD_RECIPE: dict[str, Any] = {
    **RECIPE,
    "steps": [*_STEPS, *_SOIL_STEPS],
    "inputs": [
        *RECIPE["inputs"], "available", "lost_share", "deficit_share", "wettest_share", "share_day", "share_days", "share_weeks",
    ],
}  # fmt: skip
