"""Says what the soil model looks at. The device tells neither soil nor crop, so the history of its own moisture must: how wet and how dry
it has been stands for field capacity and for the driest the farmer lets it get, and how fast it falls stands for the crop.
"""

from __future__ import annotations

from typing import Any

CHANNELS = {"moisture": "m3/m3", "temperature": "degC"}
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
