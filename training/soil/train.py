"""Trains the soil model, days until stress from the history of moisture and temperature, and builds its bundle.

Deterministic for its seed on one machine if numpy has one thread (`threads`): the same seed then gives the same bytes, whatever the
number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from edge.models import constants
from edge.models.bundle import Bundle
from training.build import package_bundle
from training.build.dense import QUANTILES, Floats, Pinball, Schedule, activations, fit
from training.build.int8 import calibrate, write
from training.build.package_bundle import Origin, TrainedModel, reference, short
from training.soil.climates import HELD_OUT_CLIMATES, TRAINING_CLIMATES
from training.soil.examples import Examples, Plan, examples, joined
from training.soil.metrics import LABELS, LIMITS, THRESHOLDS, verdicts
from training.soil.recipe import CHANNELS, RANGES, RECIPE
from training.soil.season import STRESS_SHARE

TOLERANCE_DAYS = 0.6
"""It is eleven steps of the output's int8 grid: runtimes differ by up to six."""
REACH = 1.0
"""The inputs' int8 grid ends so many scales from their offsets."""
VERSION = "1.0.0"

Progress = Callable[[str, Iterable[Any], int], Iterable[Any]]
"""Shows progress while passing the items on; called as progress(what, items, how many)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Says how much to simulate and to train."""

    training_seasons: int = 250
    held_out_seasons: int = 80
    confirmation_seasons: int = 60
    hidden: tuple[int, ...] = (32, 16)
    schedule: Schedule = field(default_factory=lambda: Schedule(epochs=25, noise=0.15, decay=1e-2))
    quantiles: tuple[float, ...] = QUANTILES
    """Of the days: the lower end of the interval, the score, and the upper end."""


def simulate(plans: Sequence[Plan], workers: int, progress: Progress, recipe: Mapping[str, Any] = RECIPE) -> Examples:
    """Simulates the seasons and returns their examples, with the features of the recipe."""
    what = f"Simulating {len(plans)} seasons in {', '.join(dict.fromkeys(plan.climate for plan in plans))}"
    return joined(list(progress(what, examples(plans, workers, recipe), len(plans))))


def simulated(seasons: int) -> Origin:
    """Returns the origin of the model that learns from so many seasons of the teacher."""
    teaching = {
        "teacher": f"aquacrop {version('aquacrop')}",
        "climates": list(TRAINING_CLIMATES),
        "held_out_climates": list(HELD_OUT_CLIMATES),
        "seasons": seasons,
        "stress_share": STRESS_SHARE,
    }
    return Origin(version=VERSION, recipe=RECIPE, teaching=teaching)


def train(
    known: Examples, seed: int, size: Size, progress: Callable[[int], None] = lambda _: None, *, version: str = VERSION
) -> TrainedModel:
    """Trains the network and writes its int8 twin."""
    low, high = np.quantile(known.features, [0.002, 0.998], axis=0)
    offsets, scales = short((low + high) / 2), short(np.maximum((high - low) / 2, 1e-6))
    inputs = np.clip((known.features - offsets) / scales, -REACH, REACH)
    loss = Pinball(LIMITS, size.quantiles)
    network = fit(inputs, known.days, size.hidden, seed, size.schedule, progress=progress, loss=loss)
    grids = calibrate(activations(network, inputs.astype(np.float32)), LIMITS)
    return TrainedModel(network, offsets, scales, REACH, write(network, grids, f"TinyBeam soil {version}"), reference(known.features))


def save(trained: TrainedModel, known: Examples, directory: Path, seed: int, size: Size, origin: Origin) -> Bundle:  # noqa: PLR0913 - the parts of a bundle
    """Writes the bundle; the golden outputs are the model's own, from the runtime at hand."""
    constants.write(directory, origin.constants)
    features = _golden_features(trained, known, seed)
    return package_bundle.package(directory, trained.model, _manifest(trained, seed, size, origin), features, TOLERANCE_DAYS)


def _manifest(trained: TrainedModel, seed: int, size: Size, origin: Origin) -> dict[str, Any]:
    names = [f"p{100 * quantile:.0f}" for quantile in size.quantiles]
    about = {
        "name": "soil",
        "version": origin.version,
        "description": "Days until root-zone depletion passes the stress threshold, "
        f"as quantiles {', '.join(names)}; the score is {names[1]}",
        "unit": "d",
    }
    return package_bundle.manifest_of(
        about=about,
        trained=trained,
        inputs=(CHANNELS, origin.recipe),
        ranges=RANGES,
        constants=origin.constants.defaults,
        score={"limits": list(LIMITS), "labels": list(LABELS), "thresholds": list(THRESHOLDS)},
        teaching=origin.teaching,
        size=size,
        seed=seed,
    )


def _golden_features(trained: TrainedModel, known: Examples, seed: int, each: int = 4) -> Floats:
    """Chooses a few examples of each verdict, far enough from the next verdict that another runtime's rounding does not change it."""
    median = activations(trained.network, trained.normalised(known.features))[-1][:, 1]
    clear = np.all(np.abs(median[:, None] - np.array(THRESHOLDS)) > TOLERANCE_DAYS, axis=1)
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(clear & (verdicts(median) == verdict)) for verdict in range(len(LABELS))]
    chosen = np.concatenate([rng.choice(of_verdict, min(each, len(of_verdict)), replace=False) for of_verdict in rows])
    return np.round(known.features[chosen], 9)
