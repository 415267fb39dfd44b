"""Puts presets in: settings of [sensors.payload] for what well-known senders send, a data file each in edge/presets.

What a file says itself counts more; its tables (rename, scale) are added to those of the preset.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from program.settings import require

_FOLDER = Path(__file__).parents[1] / "presets"


def names() -> list[str]:
    """Returns what `preset` may be."""
    return sorted(file.stem for file in _FOLDER.glob("*.toml"))


def completed(content: dict[str, Any]) -> dict[str, Any]:
    """Returns the content of a gateway's file with each class's preset put in. Raises ConfigError for one that there is not."""
    classes = content.get("sensors")
    if not isinstance(classes, list):
        return content
    return content | {"sensors": [_completed(number, sensors) for number, sensors in enumerate(classes, 1)]}


def _completed(number: int, sensors: Any) -> Any:
    payload = sensors.get("payload") if isinstance(sensors, dict) else None
    preset = payload.get("preset") if isinstance(payload, dict) else None
    if not isinstance(preset, str):
        return sensors
    require(preset in names(), f"sensors[{number}].payload.preset must be one of {', '.join(names())}, not {preset!r}")
    return sensors | {"payload": _merged(_read(preset), dict(payload or {}), sensors.get("channels"))}


def _merged(preset: dict[str, Any], payload: dict[str, Any], channels: Any) -> dict[str, Any]:
    """Returns both; of the preset's tables by channel, only what is about a channel that the class has."""
    merged = dict(preset)
    for name, table in preset.items() if isinstance(channels, dict) else ():
        if isinstance(table, dict):
            merged[name] = {key: value for key, value in table.items() if (value if name == "rename" else key) in channels}
    if isinstance(channels, dict):
        merged["booleans"] = [channel for channel in preset.get("booleans", ()) if channel in channels]
    for name, value in payload.items():
        merged[name] = {**merged[name], **value} if isinstance(merged.get(name), dict) and isinstance(value, dict) else value
    return merged


@cache
def _read(preset: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{preset}.toml").read_text())
