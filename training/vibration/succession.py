"""Trains a vibration model on what machines of the warehouse showed while they were sound, to follow the one that runs.

Guarantees that the same set, seed and lessons give the same bytes on one machine, and that the manifest says of which rows, machines, time
and code a model was made. It looks at what its predecessor looked at, for that is what the warehouse has of each window.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge.models.bundle import MANIFEST_FILE, Bundle
from training.build.dense import Floats, Schedule
from training.build.package_bundle import Origin
from training.build.snapshot import Snapshot
from training.vibration.rivals import VibrationSuccession, comparable, compare
from training.vibration.run_to_failure import joined, make_plans, simulate_lives
from training.vibration.spectra import RECIPE
from training.vibration.train import FALSE_ALARMS, Progress, Size, save, train
from training.vibration.training_set import TrainingSet

FIELD_SIZE = Size(schedule=Schedule(epochs=200, noise=0.6, decay=1e-4))
"""Machines of one's own are fewer than simulated ones: their windows are gone through more often."""
_LESSONS_SEED = 10_000


@dataclass(frozen=True, slots=True)
class Lessons:
    """Holds what a model is taught beside the field's machines: inputs of simulated sound ones, and what the manifest says of them."""

    features: Floats | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)


def teach(machines: int, seed: int, workers: int, progress: Progress) -> Lessons:
    """Simulates sound machines: a few of one's own have not shown everything that is usual."""
    if not machines:
        return Lessons()
    plans = make_plans(1_000_000 * seed + _LESSONS_SEED, machines, FIELD_SIZE.frames, FIELD_SIZE.hours, failing=False)
    lives = joined(list(progress(f"Simulating {machines} machines", simulate_lives(plans, workers), machines)))
    return Lessons(lives.features, {"teacher": "simulated healthy machines", "simulated_machines": machines})


def lineage(current: Bundle) -> tuple[str, ...]:
    """Returns the hashes of the model files whose inputs are alike: the one that runs, and those that it followed."""
    return (current.sha256, *_manifest(current)["training"].get("models", ()))


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
) -> tuple[Bundle, VibrationSuccession]:
    """Trains on sound windows of two thirds of the machines and on the lessons, sets the threshold on a third of those, and measures on the
    other machines. Raises ValueError if there is too little to learn from, or if the lessons have other inputs.
    """
    recipe = _manifest(current)["recipe"]
    if lessons.features is not None and recipe != RECIPE:
        raise ValueError(f"{current.path} looks at something else than simulated machines have: train with --machines 0")
    known, unseen = rows.split()
    compared = comparable(unseen, rows.cut)
    learned, others = known.before(rows.cut).split()
    examples, validation = learned.features[learned.sound], others.features[others.sound]
    if not len(examples) or not len(validation):
        raise ValueError(f"{len(rows.machines)} machines with {int(known.sound.sum())} sound windows are too few to train on")
    taught = np.concatenate([examples, *filter(lambda part: part is not None, [lessons.features])])
    trained = train(taught, seed, size, version=version)
    teaching = {
        **snapshot.teaching(rows.sha256),
        "models": list(lineage(current)),
        "windows": len(rows.windows),
        "examples": len(examples),
        "cut": rows.cut.isoformat(),
        "sites": list(rows.sites),
        "machines": list(learned.machines),
        "validation_machines": list(others.machines),
        "held_out_machines": list(unseen.machines),
        "false_alarms": FALSE_ALARMS,
        **lessons.origin,
    }
    golden = known.features[known.sound | np.isfinite(known.hours_to_replacement)]
    origin = Origin(version=version, recipe=recipe, teaching=teaching)
    bundle = save(trained, directory, validation=validation, examples=golden, seed=seed, size=size, origin=origin)
    return bundle, compare(bundle, current, compared)


def _manifest(bundle: Bundle) -> Any:
    return json.loads((bundle.path / MANIFEST_FILE).read_bytes())
