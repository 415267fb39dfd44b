"""Trains a vibration model on what machines of the warehouse showed while they were sound, to follow the one that runs.

Guarantees that the same set and seed give the same bytes on one machine, and that the manifest says of which rows, machines, time
and code a model was made. It looks at what its predecessor looked at, for that is what the warehouse has of each window.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.models.bundle import Bundle
from training.build.dense import Schedule
from training.build.package_bundle import Origin, read_manifest
from training.build.snapshot import Snapshot
from training.vibration.rivals import VibrationSuccession, comparable, compare
from training.vibration.train import FALSE_ALARMS, Size, save, train
from training.vibration.training_set import TrainingSet

FIELD_SIZE = Size(schedule=Schedule(epochs=200, noise=0.6, decay=1e-4))
"""Machines of one's own are fewer than simulated ones: their windows are gone through more often."""


def lineage(current: Bundle) -> tuple[str, ...]:
    """Returns the hashes of the model files whose inputs are alike: the one that runs, and those that it followed."""
    return (current.sha256, *read_manifest(current)["training"].get("models", ()))


def succeed(  # noqa: PLR0913 - what to learn from, and what comes of it
    rows: TrainingSet,
    current: Bundle,
    directory: Path,
    *,
    version: str,
    snapshot: Snapshot,
    seed: int = 0,
    size: Size = FIELD_SIZE,
) -> tuple[Bundle, VibrationSuccession]:
    """Trains on sound windows of two thirds of the machines, but for a third of those, which sets the threshold, and measures on the other
    machines. Raises ValueError if there is too little to learn from.
    """
    known, unseen = rows.split()
    compared = comparable(unseen, rows.cut)
    learned, others = known.before(rows.cut).split()
    examples, validation = learned.features[learned.sound], others.features[others.sound]
    if not len(examples) or not len(validation):
        raise ValueError(f"{len(rows.machines)} machines with {int(known.sound.sum())} sound windows are too few to train on")
    trained = train(examples, seed, size, version=version)
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
    }
    golden = known.features[known.sound | np.isfinite(known.hours_to_replacement)]
    origin = Origin(version=version, recipe=read_manifest(current)["recipe"], teaching=teaching)
    bundle = save(trained, directory, validation=validation, examples=golden, seed=seed, size=size, origin=origin)
    return bundle, compare(bundle, current, compared)
