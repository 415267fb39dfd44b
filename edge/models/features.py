"""Windows of one device -> the inputs of a model, by the recipe in the model's manifest. Pure and deterministic.

Guarantees that the same windows in the same order give the same bytes and numbers, whatever restarts lie between them, and that
windows of 5 s and of 1 h tell the same story: every memory decays with elapsed time, never with the number of windows.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from edge.spectrum import Spectrum, time_domain_units
from schemas.envelope import micros

_HOUR_US = 3_600_000_000
_HEAD = struct.Struct("<8sqq")


class RecipeError(ValueError):
    """A feature recipe that makes no sense; names the step and the reason."""


@dataclass(frozen=True, slots=True)
class Step:
    """One named operation. `of` are channels or earlier steps; `hours` is the time constant, `floor` the least divisor."""

    name: str
    op: str
    of: tuple[str, ...] = ()
    hours: float = 0.0
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """The steps, which of them are the model's inputs, and how much history they need.

    No inputs are given before `young_hours` of history, nor after a silence longer than `gap_hours` until there is such history again.
    """

    channels: tuple[str, ...]
    """What the steps begin from: channels, and levels and bands of the spectrum's channel. Without one of them there are no inputs."""
    steps: tuple[Step, ...]
    inputs: tuple[str, ...]
    warm_up_hours: float
    gap_hours: float
    fingerprint: bytes
    spectrum: Spectrum | None = None

    @staticmethod
    def parse(source: Mapping[str, Any], channels: Sequence[str]) -> Recipe:
        """`source` is the manifest's `recipe` object, `channels` those of the manifest, the spectrum's among them. Raises RecipeError."""
        steps = tuple(_step(item) for item in _list(source, "steps"))
        inputs = tuple(_list(source, "inputs"))
        spectrum = _spectrum(source, channels)
        names = _names(channels, spectrum, {*inputs, *(name for step in steps for name in step.of)})
        _check_names(steps, inputs, names)
        canonical = json.dumps([sorted(channels), source], sort_keys=True).encode()
        return Recipe(
            names,
            steps,
            inputs,
            _hours(source, "young_hours"),
            _hours(source, "gap_hours"),
            blake2b(canonical, digest_size=8).digest(),
            spectrum,
        )


def advance(
    recipe: Recipe, memory: bytes | None, window_start: datetime, window_seconds: int, means: Mapping[str, float]
) -> tuple[bytes, tuple[float, ...] | None]:
    """The device's new memory and the model's inputs, or None for the inputs when a needed channel is missing, the memory is too
    young, or the window lies before one already seen. `means` holds each channel's mean over the window, in the channel's unit.

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
    slots = _run(recipe, past, values, end, (end - since) / _HOUR_US)
    inputs = tuple(values[name] for name in recipe.inputs)
    old_enough = end - since >= recipe.warm_up_hours * _HOUR_US
    return _pack(recipe, _Past(since, end, slots)), inputs if old_enough and all(map(math.isfinite, inputs)) else None


@dataclass(frozen=True, slots=True)
class _Past:
    since: int
    end: int
    slots: tuple[float, ...]


def _run(recipe: Recipe, past: _Past | None, values: dict[str, float], end: int, age_hours: float) -> tuple[float, ...]:
    """Adds each step's value to `values`; returns the values to remember."""
    slots: list[float] = []
    elapsed = 0.0 if past is None else (end - past.end) / _HOUR_US
    for step in recipe.steps:
        operands = [values[name] for name in step.of]
        if step.op in _REMEMBERING:
            before = operands[0] if past is None else past.slots[len(slots)]
            values[step.name] = _REMEMBERING[step.op](before, operands[0], _kept(step, elapsed, age_hours))
            slots.append(values[step.name])
        elif step.op == "age":
            values[step.name] = min(age_hours / step.hours, 1.0)
        else:
            values[step.name] = _INSTANT[step.op](step, *operands)
    return tuple(slots)


def _kept(step: Step, elapsed: float, age_hours: float) -> float:
    """How much of the past a memory keeps. What is usual is a plain mean until there is more history than `hours`."""
    faded = math.exp(-elapsed / step.hours)
    return min(faded, max(1 - elapsed / age_hours, 0.0)) if step.op == "usual" else faded


def _ewma(before: float, now: float, keep: float) -> float:
    return now + (before - now) * keep


def _peak(before: float, now: float, keep: float) -> float:
    return max(now, _ewma(before, now, keep))


def _trough(before: float, now: float, keep: float) -> float:
    return min(now, _ewma(before, now, keep))


def _ratio(step: Step, top: float, bottom: float) -> float:
    return top / max(bottom, step.floor)


_REMEMBERING: dict[str, Callable[[float, float, float], float]] = {"ewma": _ewma, "usual": _ewma, "peak": _peak, "trough": _trough}
"""Exponentially weighted mean, also one that weighs all history alike while it is short; largest and smallest value, which fade towards
the present one. Each keeps one number.
"""

_INSTANT: dict[str, Callable[..., float]] = {
    "last": lambda _, now: now,
    "difference": lambda _, left, right: left - right,
    "magnitude": lambda _, value: abs(value),
    "ratio": _ratio,
}

_OPERANDS = {"ewma": 1, "usual": 1, "peak": 1, "trough": 1, "last": 1, "magnitude": 1, "difference": 2, "ratio": 2, "age": 0}


def _step(item: object) -> Step:
    try:
        fields = dict(item)  # type: ignore[call-overload]
        step = Step(**{**fields, "of": tuple(fields.get("of", ()))})
    except (TypeError, ValueError) as error:
        raise RecipeError(f"step {item!r}: {error}") from error
    if step.op not in _OPERANDS:
        raise RecipeError(f"step {step.name!r}: unknown operation {step.op!r}, known are {', '.join(sorted(_OPERANDS))}")
    if len(step.of) != _OPERANDS[step.op]:
        raise RecipeError(f"step {step.name!r}: {step.op} takes {_OPERANDS[step.op]} operands, not {len(step.of)}")
    if (step.op in _REMEMBERING or step.op == "age") and not step.hours > 0:
        raise RecipeError(f"step {step.name!r}: {step.op} needs hours > 0")
    if step.op == "ratio" and not step.floor > 0:
        raise RecipeError(f"step {step.name!r}: ratio needs floor > 0")
    return step


def _spectrum(source: Mapping[str, Any], channels: Sequence[str]) -> Spectrum | None:
    if "spectrum" not in source:
        return None
    try:
        spectrum = Spectrum.parse(source["spectrum"])
    except ValueError as error:
        raise RecipeError(f"spectrum: {error}") from error
    if spectrum.channel not in channels:
        raise RecipeError(f"spectrum: {spectrum.channel!r} is not a channel of the model")
    return spectrum


def _names(channels: Sequence[str], spectrum: Spectrum | None, used: Collection[str]) -> tuple[str, ...]:
    """A frame's channel is no number of its own: its bands stand for it, and those of its levels that are used."""
    if spectrum is None:
        return tuple(channels)
    levels = [name for name in time_domain_units(spectrum.channel, "") if name in used]
    return (*(name for name in channels if name != spectrum.channel), *spectrum.names, *levels)


def _check_names(steps: Sequence[Step], inputs: Sequence[str], channels: Sequence[str]) -> None:
    known = set(channels)
    for step in steps:
        unknown = [name for name in step.of if name not in known]
        if unknown:
            raise RecipeError(f"step {step.name!r} uses {unknown[0]!r}, which is neither a channel nor an earlier step")
        if step.name in known:
            raise RecipeError(f"the name {step.name!r} is given twice")
        known.add(step.name)
    missing = [name for name in inputs if name not in known]
    if missing or not inputs:
        raise RecipeError(f"input {missing[0]!r} is not a step" if missing else "the recipe has no inputs")


def _list(source: Mapping[str, Any], key: str) -> list[Any]:
    value = source.get(key) if isinstance(source, Mapping) else None
    if not isinstance(value, list):
        raise RecipeError(f"{key} must be a list")
    return value


def _hours(source: Mapping[str, Any], key: str) -> float:
    value = source.get(key)
    if not isinstance(value, int | float) or not value > 0:
        raise RecipeError(f"{key} must be a number of hours > 0")
    return float(value)


def _pack(recipe: Recipe, past: _Past) -> bytes:
    return _HEAD.pack(recipe.fingerprint, past.since, past.end) + struct.pack(f"<{len(past.slots)}d", *past.slots)


def _unpack(recipe: Recipe, memory: bytes | None) -> _Past | None:
    count = sum(step.op in _REMEMBERING for step in recipe.steps)
    if not memory or len(memory) != _HEAD.size + 8 * count:
        return None
    fingerprint, since, end = _HEAD.unpack_from(memory)
    if fingerprint != recipe.fingerprint:
        return None
    return _Past(since, end, struct.unpack_from(f"<{count}d", memory, _HEAD.size))
