"""Reads a feature recipe: the steps from a window's channels to a model's inputs, as the model's manifest gives them.

Guarantees that a parsed recipe can be run: every step's operation is known and has what it needs, and every name stands for something.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from inspect import signature
from statistics import median
from typing import Any

from edge.models.not_judged import SENSOR_DISTURBED, STANDING_STILL, NotJudged
from edge.models.operations import OPERATIONS
from edge.models.operations.operation import Operation
from edge.spectrum import Spectrum, time_domain_units

_OF_EVERY_STEP = ("name", "op", "of")
_NOT_OF_MEMORY = ("standstill", "sustained_hours")
"""Settings that change nothing in what a memory holds: one of before goes on."""
_ONCE_OF_EVERY_STEP = ("hours", "floor")
"""Settings that manifests may give to steps whose operation does not read them: it always was so."""


class RecipeError(ValueError):
    """The feature recipe makes no sense; the text names the step and the reason."""


@dataclass(frozen=True, slots=True)
class Step:
    """Names one operation on channels or earlier steps."""

    name: str
    operation: Operation
    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standstill:
    """Says in which windows the machine stands still: the median of these values lies below a bound.

    The median, for mains hum in an idle sensor is in one or two bands only.
    """

    of: tuple[str, ...]
    below: float

    def holds(self, values: Mapping[str, float]) -> bool:
        return self._middle(values) < self.below

    def judged(self, values: Mapping[str, float]) -> NotJudged | None:
        """Says what the machine is: None where it runs. What only some of the values say is not the machine."""
        if not self.holds(values):
            return None
        is_partial = max(values[name] for name in self.of) >= self.below
        return NotJudged(SENSOR_DISTURBED if is_partial else STANDING_STILL, self._middle(values))

    def _middle(self, values: Mapping[str, float]) -> float:
        return median(values[name] for name in self.of)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Holds the steps, which of them are the model's inputs, and how much history they need.

    No inputs are computed before `warm_up_hours` of history, nor after a silence longer than `gap_hours` until there is such history again.
    """

    channels: tuple[str, ...]
    """What the steps begin from: channels, and time-domain features and bands of the spectrum's channel. They are all needed."""
    steps: tuple[Step, ...]
    inputs: tuple[str, ...]
    warm_up_hours: float
    gap_hours: float
    fingerprint: bytes
    spectrum: Spectrum | None = None
    remembered: int = 0
    """Says how many steps give a value to remember."""
    standstill: Standstill | None = None
    """Windows of which nothing is said and nothing is remembered."""
    sustained_hours: float | None = None
    """What is abnormal for about so long is not learned as usual; None: everything is learned."""

    def remembers_as(self, other: Recipe) -> bool:
        """Says whether a memory of the other recipe is one of this, but for the fingerprint: the same steps give what is remembered."""
        return (self._remembering, self.gap_hours, self.spectrum) == (other._remembering, other.gap_hours, other.spectrum)

    @property
    def _remembering(self) -> tuple[Step, ...]:
        """Returns the steps that remember, and those that they need, in their order."""
        found: list[Step] = []
        needed: set[str] = set()
        for step in reversed(self.steps):
            if step.operation.remembers or step.name in needed:
                found.append(step)
                needed.update(step.of)
        return tuple(reversed(found))

    @staticmethod
    def parse(source: Mapping[str, Any], channels: Sequence[str]) -> Recipe:
        """Reads `source`, the manifest's `recipe`; `channels` are those of the manifest, the spectrum's among them. Raises RecipeError."""
        steps = tuple(_step(item) for item in _list(source, "steps"))
        inputs = tuple(_list(source, "inputs"))
        spectrum = _spectrum(source, channels)
        names = _names(channels, spectrum, {*inputs, *(name for step in steps for name in step.of)})
        _check_names(steps, inputs, names)
        remembered = {key: value for key, value in source.items() if key not in _NOT_OF_MEMORY}
        canonical = json.dumps([sorted(channels), remembered], sort_keys=True).encode()
        return Recipe(
            channels=names,
            steps=steps,
            inputs=inputs,
            warm_up_hours=_hours(source, "young_hours"),
            gap_hours=_hours(source, "gap_hours"),
            fingerprint=blake2b(canonical, digest_size=8).digest(),
            spectrum=spectrum,
            remembered=sum(step.operation.remembers for step in steps),
            standstill=_standstill(source, {*names, *(step.name for step in steps)}),
            sustained_hours=_hours(source, "sustained_hours") if "sustained_hours" in source else None,
        )


def _step(item: object) -> Step:
    try:
        settings = dict(item)  # type: ignore[call-overload]
        name, kind, of = settings["name"], settings["op"], tuple(settings.get("of", ()))
    except (KeyError, TypeError, ValueError) as error:
        raise RecipeError(f"step {item!r}: needs a name and an op, and of must be a list: {error!r}") from error
    if kind not in OPERATIONS:
        raise RecipeError(f"step {name!r}: unknown operation {kind!r}, known are {', '.join(OPERATIONS)}")
    try:
        operation = _operation(kind, settings)
    except ValueError as error:
        raise RecipeError(f"step {name!r}: {kind} {error}") from error
    if len(of) != operation.operands:
        raise RecipeError(f"step {name!r}: {kind} takes {operation.operands} operands, not {len(of)}")
    return Step(name, operation, of)


def _operation(kind: str, settings: Mapping[str, Any]) -> Operation:
    known = signature(OPERATIONS[kind]).parameters
    own = {name: value for name, value in settings.items() if name in known}
    unknown = [name for name in settings if name not in (*known, *_OF_EVERY_STEP, *_ONCE_OF_EVERY_STEP)]
    if unknown:
        raise ValueError(f"has no setting {unknown[0]!r}")
    return OPERATIONS[kind](**own)


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
    """A frame's channel is no number of its own: its bands stand for it, and those of its time-domain features that are used."""
    if spectrum is None:
        return tuple(channels)
    features = [name for name in time_domain_units(spectrum.channel, "") if name in used]
    return (*(name for name in channels if name != spectrum.channel), *spectrum.names, *features)


def _check_names(steps: Sequence[Step], inputs: Sequence[str], channels: Sequence[str]) -> None:
    known = set(channels)
    for step in steps:
        unknown = [name for name in step.of if name not in known]
        if unknown:
            raise RecipeError(f"step {step.name!r} uses {unknown[0]!r}, which is neither a channel nor an earlier step")
        if step.name in known:
            raise RecipeError(f"the name {step.name!r} stands twice")
        known.add(step.name)
    missing = [name for name in inputs if name not in known]
    if missing or not inputs:
        raise RecipeError(f"input {missing[0]!r} is not a step" if missing else "the recipe has no inputs")


def _standstill(source: Mapping[str, Any], known: set[str]) -> Standstill | None:
    if "standstill" not in source:
        return None
    settings = source["standstill"]
    of, below = tuple(_list(settings, "of")), settings.get("below")
    if not of or not known.issuperset(of):
        raise RecipeError("standstill: of must be a list of channels or steps")
    if not isinstance(below, int | float):
        raise RecipeError("standstill: below must be a number")
    return Standstill(of, float(below))


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
