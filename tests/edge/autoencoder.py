"""A small bundle that reconstructs its inputs: real int8 models and manifests for tests of frames, written in milliseconds.

The network passes its inputs through a hidden layer that holds `rank` of their directions: inputs along these come out again, others do
not. So a test knows the score before it asks.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from edge.models.bundle import Bundle
from training.build.dense import Layer, Network
from training.build.int8 import Grid, write

SPECTRUM: dict[str, Any] = {"channel": "shake", "rate_hz": 1000, "samples": 256, "edges_hz": [0, 50, 100, 200, 300, 500]}
REACH = 4.0
LABELS, THRESHOLDS = ["normal", "worn", "failing"], [0.5, 2.0]


def projection(width: int, rank: int) -> Network:
    """Keeps the first `rank` inputs, and answers 0 for the others. A rectifier needs each direction twice, with both signs."""
    kept = np.eye(width)[:, :rank]
    hidden = Layer(np.hstack([kept, -kept]), np.zeros(2 * rank), rectified=True)
    return hidden, Layer(hidden.weights.T, np.zeros(width), rectified=False)


def model(width: int, rank: int) -> bytes:
    return write(projection(width, rank), [Grid.over(-REACH, REACH), Grid.over(0, REACH), Grid.over(-REACH, REACH)], "projection")


def manifest(body: bytes, rank: int, **changed: Any) -> dict[str, Any]:
    """`changed` are keys of its score, or whole keys of the manifest."""
    width = len(SPECTRUM["edges_hz"]) - 1
    names = [f"{SPECTRUM['channel']}_band{number:02}" for number in range(width)]
    score = {
        "kind": "reconstruction",
        "limits": [0, 100],
        "labels": LABELS,
        "best": "normal",
        "thresholds": THRESHOLDS,
        "severities": {"failing": "critical"},
    }
    manifest = {
        "format": "tinybeam-bundle/1",
        "name": "shaking",
        "version": "1",
        "unit": "1",
        "sha256": sha256(body).hexdigest(),
        "channels": {SPECTRUM["channel"]: "m/s2"},
        "recipe": {"young_hours": 1e-6, "gap_hours": 1, "steps": [], "inputs": names, "spectrum": SPECTRUM},
        "normalisation": {"offsets": [-4.0] * width, "scales": [1.0] * width},
        "score": score,
        "golden": {"tolerance": 0.2, "cases": golden(width, rank)},
    }
    for key, value in changed.items():
        (manifest if key in manifest else score)[key] = value
    return manifest


def golden(width: int, rank: int) -> list[dict[str, Any]]:
    """The quiet machine, and one whose inputs all lie 2 above it: the inputs that are not kept cost 4 each."""
    lost = np.where(np.arange(width) < rank, 0.0, 4.0)
    half = 1.2816 * lost.std(ddof=1) / width**0.5
    loud = float(lost.mean())
    label = LABELS[sum(loud >= threshold for threshold in THRESHOLDS)]
    return [
        {"features": [-4.0] * width, "outputs": [0.0, 0.0, 0.0], "label": "normal"},
        {"features": [-2.0] * width, "outputs": [max(loud - half, 0), loud, loud + half], "label": label},
    ]


def bundle(directory: Path, rank: int = 3, **changed: Any) -> Bundle:
    """In `directory`, which is made."""
    body = model(len(SPECTRUM["edges_hz"]) - 1, rank)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "model.tflite").write_bytes(body)
    (directory / "manifest.json").write_text(json.dumps(manifest(body, rank, **changed)))
    return Bundle.load(directory)
