"""Trains the vibration model, an autoencoder that knows how healthy machines change, so that what it cannot reproduce is a fault.

It is trained on healthy machines alone, and its first threshold is set on other healthy machines. Deterministic for its seed on one
machine if numpy has one thread (`threads`): the same seed then gives the same bytes, whatever the number of workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge.models.bundle import Bundle
from edge.models.outputs import RECONSTRUCTION
from training.build import package_bundle
from training.build.dense import Floats, Schedule, Squared, activations, fit
from training.build.int8 import Grid, calibrate, write
from training.build.package_bundle import Origin, TrainedModel, reference, run_model, short
from training.vibration.run_to_failure import Observations, Plan, joined, make_plans, simulate_lives
from training.vibration.spectra import CHANNELS, RECIPE

VERSION = "1.0.0"
LABELS = ("normal", "worn", "failing")
FALSE_ALARMS = 0.01
"""So many of the windows of healthy machines may be called worn."""
FAILING = 30.0
"""Failing begins at so many times the threshold of worn: a round number, not a fit."""
REACH = 20.0
"""The inputs' int8 grid ends so many standard deviations from the mean: faults must fit, not only health."""
_OUTPUT_SHARE = 0.9995
TOLERANCE_SHARE = 0.4
"""Golden cases may differ between runtimes by this share of the first threshold."""
_CLEAR = 0.15
_GOLDEN_AT_MOST = 1.4
LIMITS = (0.0, 1000.0)

Progress = Callable[[str, Iterable[Any], int], Iterable[Any]]
"""Shows progress while passing the items on; called as progress(what, items, how many)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Says how many machines to observe, for how long, and how to train."""

    training_machines: int = 90
    validation_machines: int = 60
    healthy_machines: int = 30
    failing_machines: int = 48
    golden_machines: int = 6
    hours: float = 1080.0
    frames: int = 4
    hidden: tuple[int, ...] = (32, 6, 32)
    schedule: Schedule = field(default_factory=lambda: Schedule(epochs=80, noise=0.6, decay=1e-4))


@dataclass(frozen=True, slots=True)
class DataSets:
    """Holds observations to train on, to set thresholds on, to take golden cases from, and to measure on. No machine is in two."""

    training: Observations
    validation: Observations
    golden: Observations
    healthy: Observations
    failing: Observations


def simulate(size: Size, seed: int, workers: int, progress: Progress) -> DataSets:
    """Simulates all data sets."""
    return DataSets(
        **{
            name: joined(list(progress(f"Simulating {len(plans)} machines ({name})", simulate_lives(plans, workers), len(plans))))
            for name, plans in all_plans(size, seed).items()
        }
    )


def all_plans(size: Size, seed: int) -> dict[str, list[Plan]]:
    """Maps the name of each data set to its plans; no seed of a machine is in two."""
    first = 1_000_000 * seed
    common = (size.frames, size.hours)
    return {
        "training": make_plans(first + 10_000, size.training_machines, *common, failing=False),
        "validation": make_plans(first + 20_000, size.validation_machines, *common, failing=False),
        "golden": make_plans(first + 31_000, size.golden_machines, *common, failing=True),
        "healthy": make_plans(first + 50_000, size.healthy_machines, *common, failing=False),
        "failing": make_plans(first + 51_000, size.failing_machines, *common, failing=True),
    }


def train(
    healthy: Floats, seed: int, size: Size, progress: Callable[[int], None] = lambda _: None, *, version: str = VERSION
) -> TrainedModel:
    """Trains the network and writes its int8 twin. `healthy` are inputs before normalisation, shape (rows, inputs)."""
    offsets, scales = short(healthy.mean(axis=0)), short(np.maximum(healthy.std(axis=0), 1e-6))
    inputs = np.clip((healthy - offsets) / scales, -REACH, REACH).astype(np.float32)
    network = fit(inputs, inputs, size.hidden, seed, size.schedule, progress=progress, loss=Squared())
    values = activations(network, inputs)
    # What no healthy machine shows, the int8 model cannot reproduce: an input far out is not followed there.
    reach = (float(np.quantile(values[-1], 1 - _OUTPUT_SHARE)), float(np.quantile(values[-1], _OUTPUT_SHARE)))
    grids = [Grid.over(-REACH, REACH), *calibrate(values, reach)[1:]]
    return TrainedModel(
        network, offsets, scales, REACH, write(network, grids, f"TinyBeam vibration {version}", "reconstruction"), reference(healthy)
    )


def healthy_threshold(scores: Floats) -> float:
    """Returns the threshold above which the stated share of healthy windows lies."""
    return float(f"{np.quantile(scores, 1 - FALSE_ALARMS):.3g}")


def save(  # noqa: PLR0913 - what, where, on what, how
    trained: TrainedModel, directory: Path, *, validation: Floats, examples: Floats, seed: int, size: Size, origin: Origin
) -> Bundle:
    """Writes the bundle: thresholds from `validation`, which is healthy; golden cases from `examples`, healthy and failing. Both are inputs
    before normalisation, shape (rows, inputs).
    """
    manifest = manifest_of(trained, seed, size, origin)
    threshold = healthy_threshold(run_model(directory, trained.model, manifest, validation)[:, 1])
    manifest["score"] = _score(threshold)
    scores = run_model(directory, trained.model, manifest, examples)[:, 1]
    golden = np.round(examples[_golden_rows(scores, threshold, seed)], 9)
    return package_bundle.package(directory, trained.model, manifest, golden, float(f"{TOLERANCE_SHARE * threshold:.3g}"))


def _golden_rows(scores: Floats, threshold: float, seed: int, each: int = 4) -> Any:
    """Chooses a few rows of each verdict, far enough from the next one that another runtime's rounding does not change it, and not far out,
    where one step of an output moves the score more.
    """
    edges = np.array([threshold, FAILING * threshold])
    clear = np.all(np.abs(scores[:, None] / edges - 1) > _CLEAR, axis=1) & (scores < _GOLDEN_AT_MOST * edges[-1])
    verdicts = np.searchsorted(edges, scores, side="right")
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(clear & (verdicts == verdict)) for verdict in range(len(LABELS))]
    return np.concatenate([rng.choice(of_verdict, min(each, len(of_verdict)), replace=False) for of_verdict in rows])


def _score(threshold: float) -> dict[str, Any]:
    return {
        "kind": RECONSTRUCTION,
        "limits": list(LIMITS),
        "labels": list(LABELS),
        "best": LABELS[0],
        "thresholds": [threshold, FAILING * threshold],
        "hysteresis": float(f"{0.3 * threshold:.3g}"),
        "severities": {"failing": "critical"},
    }


def simulated(size: Size) -> Origin:
    """Returns the origin of the model that learns from simulated machines."""
    teaching = {
        "teacher": "simulated healthy machines",
        "machines": size.training_machines,
        "validation_machines": size.validation_machines,
        "hours": size.hours,
        "frames_per_window": size.frames,
        "false_alarms": FALSE_ALARMS,
    }
    return Origin(version=VERSION, recipe=RECIPE, teaching=teaching)


def manifest_of(trained: TrainedModel, seed: int, size: Size, origin: Origin) -> dict[str, Any]:
    """Returns the manifest but for golden cases; its thresholds are still to be set."""
    about = {
        "name": "vibration",
        "version": origin.version,
        "description": "How badly an autoencoder of healthy machines reproduces the rise of a machine's spectrum over what is usual for it",
        "unit": "1",
    }
    return package_bundle.manifest_of(
        about=about, trained=trained, inputs=(CHANNELS, origin.recipe), score=_score(1.0), teaching=origin.teaching, size=size, seed=seed
    )
