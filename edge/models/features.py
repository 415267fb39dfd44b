"""Turns windows of one device into the inputs of a model, by the recipe in the model's manifest. Pure and deterministic.

Guarantees that the same windows in the same order give the same bytes and numbers, whatever restarts lie between them, and that
windows of 5 s and of 1 h give the same picture: every memory decays with elapsed time, never with the number of windows.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.models.operations.operation import Elapsed
from edge.models.recipe import Recipe
from schemas.envelope import micros

_HOUR_US = 3_600_000_000
_HEAD = struct.Struct("<8sqq")


def advance(
    recipe: Recipe, memory: bytes | None, window_start: datetime, window_seconds: int, means: Mapping[str, float]
) -> tuple[bytes, tuple[float, ...] | None]:
    """Returns the device's new memory and the model's inputs, or None for the inputs when a needed channel is missing, the memory is
    too young, or the window lies before one already seen. `means` holds each channel's mean over the window, in the channel's unit.

    A window in which the machine stands still says nothing, and is not remembered: what is usual is learned while it runs.

    Memory of another recipe counts as none. A window that lies more than `gap_hours` before the last one seen means that the
    remembered time was wrong: the memory starts anew.
    """
    values = {channel: means.get(channel, math.nan) for channel in recipe.channels}
    start, end = micros(window_start), micros(window_start + timedelta(seconds=window_seconds))
    past = _unpack(recipe, memory)
    if past is not None and end < past.end - recipe.gap_hours * _HOUR_US:
        past = None
    if not all(map(math.isfinite, values.values())) or (past is not None and end <= past.end):
        return (b"" if memory is None else memory), None
    since = start if past is None or end - past.end > recipe.gap_hours * _HOUR_US else past.since
    remembered = _run(recipe, past, values, end, (end - since) / _HOUR_US)
    if past is not None and recipe.standstill and recipe.standstill.holds(values):
        return (b"" if memory is None else memory), None
    inputs = tuple(values[name] for name in recipe.inputs)
    is_warm = end - since >= recipe.warm_up_hours * _HOUR_US
    return _pack(recipe, _Past(since, end, remembered)), inputs if is_warm and all(map(math.isfinite, inputs)) else None


@dataclass(frozen=True, slots=True)
class _Past:
    """Holds a device's memory: since when its history reaches, the end of its last window, and what each remembering step gave for it."""

    since: int
    end: int
    remembered: tuple[float, ...]


def _run(recipe: Recipe, past: _Past | None, values: dict[str, float], end: int, age_hours: float) -> tuple[float, ...]:
    """Adds each step's value to `values`; returns the values to remember."""
    remembered: list[float] = []
    elapsed = Elapsed(0.0 if past is None else (end - past.end) / _HOUR_US, age_hours)
    for step in recipe.steps:
        operation, operands = step.operation, [values[name] for name in step.of]
        if operation.remembers:
            before = past.remembered[len(remembered)] if past else None
            values[step.name] = operation.value(operands, before, elapsed)
            remembered.append(values[step.name])
        else:
            values[step.name] = operation.value(operands, None, elapsed)
    return tuple(remembered)


def _pack(recipe: Recipe, past: _Past) -> bytes:
    return _HEAD.pack(recipe.fingerprint, past.since, past.end) + struct.pack(f"<{len(past.remembered)}d", *past.remembered)


def _unpack(recipe: Recipe, memory: bytes | None) -> _Past | None:
    if not memory or len(memory) != _HEAD.size + 8 * recipe.remembered:
        return None
    fingerprint, since, end = _HEAD.unpack_from(memory)
    if fingerprint != recipe.fingerprint:
        return None
    return _Past(since, end, struct.unpack_from(f"<{recipe.remembered}d", memory, _HEAD.size))
