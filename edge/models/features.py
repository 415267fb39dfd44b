"""Turns windows of one device into the inputs of a model, by the recipe in the model's manifest. Pure and deterministic.

Guarantees that the same windows in the same order give the same bytes and numbers, whatever restarts lie between them, and that
windows of 5 s and of 1 h give the same picture: every memory decays with elapsed time, never with the number of windows.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from edge.models.not_judged import SENSOR_DISTURBED, NotJudged
from edge.models.operations.operation import Elapsed
from edge.models.recipe import Recipe
from schemas.envelope import micros

_HOUR_US = 3_600_000_000
_HEAD = struct.Struct("<8sqq")
_ABNORMAL = struct.Struct("<d")
_MOSTLY = 0.5


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
    abnormal = past.abnormal if past and past.since == since else 0.0
    return _pack(recipe, _Past(since, end, remembered, abnormal)), inputs if is_warm and all(map(math.isfinite, inputs)) else None


def settle(recipe: Recipe, before: bytes | None, after: bytes, *, is_normal: bool | None) -> bytes:
    """Returns the memory after a window that was judged. `before` is what it was when `advance` was called, `after` what that gave.

    What a model calls abnormal most of the time is no part of what is usual: then time passes, and nothing is learned, until it is normal
    again most of the time. A single false alarm is learned from as any window is; else what strays would be forgiven ever less.
    `is_normal` is None where the model gave no answer.
    """
    if recipe.sustained_hours is None:
        return after
    past, present = _unpack(recipe, before), _unpack(recipe, after)
    if past is None or present is None or present.since != past.since:
        return after
    keep = math.exp(-(present.end - past.end) / _HOUR_US / recipe.sustained_hours)
    abnormal = past.abnormal if is_normal is None else past.abnormal * keep + (not is_normal) * (1 - keep)
    remembered = past.remembered if abnormal > _MOSTLY else present.remembered
    return _pack(recipe, replace(present, remembered=remembered, abnormal=abnormal))


def not_judged(
    recipe: Recipe, memory: bytes | None, window_start: datetime, window_seconds: int, means: Mapping[str, float]
) -> NotJudged | None:
    """Says what a window is that gives no inputs, as far as the recipe knows: None where it cannot be said.

    Where some of the values by which a machine is known to stand still have fallen and others have not, as under mains hum, or a channel
    that the model takes gives nothing but a constant, it is the sensor that has changed.
    """
    values = {channel: means.get(channel, math.nan) for channel in recipe.channels}
    past, end = _unpack(recipe, memory), micros(window_start + timedelta(seconds=window_seconds))
    if recipe.standstill is None or past is None or end <= past.end:
        return None
    if recipe.spectrum and recipe.spectrum.is_constant(means):
        return NotJudged(SENSOR_DISTURBED, 0.0)
    if not all(map(math.isfinite, values.values())):
        return None
    _run(recipe, past, values, end, (end - past.since) / _HOUR_US)
    return recipe.standstill.judged(values)


@dataclass(frozen=True, slots=True)
class _Past:
    """Holds a device's memory: since when its history reaches, the end of its last window, what each remembering step gave for it, and how
    abnormal the last windows were, from 0 to 1.
    """

    since: int
    end: int
    remembered: tuple[float, ...]
    abnormal: float = 0.0


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
    packed = _HEAD.pack(recipe.fingerprint, past.since, past.end) + struct.pack(f"<{len(past.remembered)}d", *past.remembered)
    return packed + _ABNORMAL.pack(past.abnormal) if past.abnormal else packed


def _unpack(recipe: Recipe, memory: bytes | None) -> _Past | None:
    if not memory or len(memory) - _HEAD.size - 8 * recipe.remembered not in (0, _ABNORMAL.size):
        return None
    fingerprint, since, end = _HEAD.unpack_from(memory)
    if fingerprint != recipe.fingerprint:
        return None
    steps_end = _HEAD.size + 8 * recipe.remembered
    abnormal = _ABNORMAL.unpack_from(memory, steps_end)[0] if len(memory) > steps_end else 0.0
    return _Past(since, end, struct.unpack_from(f"<{recipe.remembered}d", memory, _HEAD.size), abnormal)
