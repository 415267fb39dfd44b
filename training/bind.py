"""A model and its manifest -> a bundle on disk, with golden cases that are the model's own answers from the runtime at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from edge import tflite
from edge.bundle import MANIFEST_FILE, MODEL_FILE, Bundle
from edge.scorer_child import Model
from training.dense import Floats


def bind(directory: Path, model: bytes, manifest: dict[str, Any], features: Floats, tolerance: float) -> Bundle:
    """Writes both files and returns the bundle, loaded. `features` are those of the golden cases, before normalisation."""
    outputs = answers(directory, model, manifest, features)
    bundle = Bundle.load(directory)
    cases = [
        {"features": row.tolist(), "outputs": np.round(found, 6).tolist(), "label": bundle.label(float(found[1]))}
        for row, found in zip(features, outputs, strict=True)
    ]
    _write(directory, {**manifest, "golden": {"tolerance": tolerance, "cases": cases}})
    return Bundle.load(directory)


def answers(directory: Path, model: bytes, manifest: dict[str, Any], features: Floats) -> Floats:
    """What the model says about these rows: shape (rows, inputs) -> (rows, 3). Leaves a bundle behind whose golden case is blank."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MODEL_FILE).write_bytes(model)
    blank = [{"features": features[0].tolist(), "outputs": [0.0, 0.0, 0.0], "label": manifest["score"]["labels"][0]}]
    _write(directory, {**manifest, "golden": {"tolerance": 0.0, "cases": blank}})
    return Model(Bundle.load(directory), tflite.load()).run(features)


def short(values: Floats) -> Floats:
    """Numbers that a person can read in the manifest."""
    return np.array([float(f"{value:.5g}") for value in values])


def _write(directory: Path, manifest: dict[str, Any]) -> None:
    (directory / MANIFEST_FILE).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
