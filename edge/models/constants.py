"""Reads what a model is told of a device that the device does not measure: numbers of the registry that came with the model.

`constants.json` beside the model maps a device to them, `{"soil-01": {"available": 0.12}}`; the manifest names each, with the value for a
device of which nothing is known. Guarantees that every constant of a device is a finite number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = "constants.json"
MAX_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Constants:
    """Holds the values for any device, and those of devices that are known."""

    defaults: Mapping[str, float] = field(default_factory=dict)
    by_device: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.defaults)

    def of(self, device_id: str) -> Mapping[str, float]:
        """Returns every constant of a device."""
        return self.by_device.get(device_id, self.defaults)


def read(folder: Path, declared: Mapping[str, Any], channels: Collection[str]) -> Constants:
    """Reads the constants that a manifest declares, name -> value for an unknown device. Raises ValueError."""
    defaults = _numbers("the manifest", declared)
    if measured := sorted(defaults.keys() & set(channels)):
        raise ValueError(f"constants: {measured[0]!r} is one of its channels")
    if not defaults:
        return Constants()
    file = folder / FILE
    try:
        listed = json.loads(_content(file))
        return Constants(defaults, {str(device): defaults | _numbers(str(device), values, defaults) for device, values in listed.items()})
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(f"{FILE}: {getattr(error, 'strerror', None) or error}") from error


def write(folder: Path, constants: Constants) -> None:
    """Writes the file, if there are constants."""
    if constants.names:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(dict(sorted(constants.by_device.items())), indent=1) + "\n", encoding="utf-8")


def _content(file: Path) -> bytes:
    if file.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    return file.read_bytes()


def _numbers(owner: str, values: Mapping[str, Any], known: Mapping[str, float] | None = None) -> dict[str, float]:
    numbers = {str(name): float(value) for name, value in values.items()}
    if known is not None and (unknown := sorted(numbers.keys() - known.keys())):
        raise ValueError(f"{owner} has {unknown[0]!r}, which is no constant of the manifest")
    if not all(map(math.isfinite, numbers.values())):
        raise ValueError(f"{owner} has a constant that is no finite number")
    return numbers
