"""Trains a soil model on what the warehouse knows and on a teacher's lessons, to follow the one that runs.

Guarantees that the same set, seed and lessons give the same bytes on one machine, and that the manifest says of which rows, sites, window
and code a model was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from edge.models.bundle import Bundle
from edge.models.constants import Constants
from edge.models.recipe import Recipe
from training.build.package_bundle import Origin
from training.build.snapshot import Snapshot
from training.soil.climates import TRAINING_CLIMATES
from training.soil.examples import Examples, joined, make_plans
from training.soil.metrics import DECISIVE_DAYS
from training.soil.recipe import CHANNELS, CONSTANTS, FIELD_RECIPE
from training.soil.rivals import SoilSuccession, compare
from training.soil.train import Progress, Size, save, simulate, simulated, train
from training.soil.training_set import TrainingSet

FIELD_SIZE = Size(quantiles=(0.1, 0.45, 0.9))
"""A stress that nobody foresaw costs more than a watering too early: so the score lies a little below the median."""
FIELD_WEIGHT = 2
"""What a field showed counts so often: lessons are many, and of other climates."""
LESSON_WINDOWS = (10_800, 21_600)
"""Windows of the probes that record a lesson, in seconds: shorter ones show the same, and take longer."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Holds what a model is taught beside the fields: the teacher's seasons with features by FIELD_RECIPE, and what the manifest says of
    them.
    """

    examples: Examples | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)


def teach(seasons: int, seed: int, workers: int, progress: Progress) -> Lessons:
    """Simulates seasons in the climates of the shipped model: fields are few at first, and none has seen every weather."""
    if not seasons:
        return Lessons()
    plans = [replace(plan, window_seconds=LESSON_WINDOWS) for plan in make_plans(TRAINING_CLIMATES, seasons, seed)]
    return Lessons(simulate(plans, workers, progress, FIELD_RECIPE), {"teacher": simulated(seasons).teaching})


def succeed(  # noqa: PLR0913 - what to learn from, and what comes of it
    rows: TrainingSet,
    lessons: Lessons,
    current: Bundle,
    directory: Path,
    *,
    version: str,
    snapshot: Snapshot,
    seed: int = 0,
    size: Size = FIELD_SIZE,
) -> tuple[Bundle, SoilSuccession]:
    """Trains on two thirds of the sites and on the teacher's lessons, and measures on the other sites. Raises ValueError if there is too
    little to learn from.
    """
    known, unseen = rows.split()
    recipe = Recipe.parse(FIELD_RECIPE, (*CHANNELS, *CONSTANTS))
    examples = known.examples(known.features(recipe))
    if not len(examples.days) or not unseen.sites:
        raise ValueError(f"{len(rows.sites)} sites with {len(examples.days)} windows whose end is known are too few to train on")
    if not (unseen.days < DECISIVE_DAYS).any():
        raise ValueError(f"at none of the {len(unseen.sites)} sites held out stress came within {DECISIVE_DAYS:g} days to compare")
    taught = joined([*filter(None, [lessons.examples]), *[examples] * FIELD_WEIGHT])
    trained = train(taught, seed, size, version=version)
    teaching = {**_teaching(rows, known, unseen, examples, snapshot), **lessons.origin}
    origin = Origin(version=version, recipe=FIELD_RECIPE, teaching=teaching, constants=_constants(rows))
    bundle = save(trained, taught, directory, seed, size, origin)
    return bundle, compare(bundle, current, known, unseen)


def _constants(rows: TrainingSet) -> Constants:
    by_device = rows.constants
    defaults = {name: median(values[name] for values in by_device.values()) for name in CONSTANTS}
    return Constants(defaults, by_device)


def _teaching(rows: TrainingSet, known: TrainingSet, unseen: TrainingSet, examples: Examples, snapshot: Snapshot) -> dict[str, Any]:
    return {
        **snapshot.teaching(rows.sha256),
        "windows": len(rows.windows),
        "examples": len(examples.days),
        "seasons": known.seasons,
        "sites": list(known.sites),
        "held_out_sites": list(unseen.sites),
    }
