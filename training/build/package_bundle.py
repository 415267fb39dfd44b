"""Writes a model and its manifest as a bundle, with golden cases that are the model's own outputs in the runtime at hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from edge.models import tflite
from edge.models.bundle import FORMAT, MANIFEST_FILE, MODEL_FILE, Bundle
from edge.models.constants import Constants
from edge.models.model import Floats as Doubles
from edge.models.model import Model
from training.build.dense import Floats, Network, Schedule

Inputs = tuple[Mapping[str, str], Mapping[str, Any]]
"""Pairs channels and their units with the recipe that makes a model's inputs of them."""


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """Holds a network, how its inputs are normalised, cut off and were distributed, and the bytes that run on the gateway."""

    network: Network
    offsets: Floats
    scales: Floats
    reach: float
    model: bytes
    reference: list[list[float]]
    """Quantiles of each input at 0, 5, 10, ..., 100 % of the training examples."""

    def normalised(self, features: Floats) -> Floats:
        """Returns what the network is given: features in scales from their offsets, cut off at `reach`, where int8 ends."""
        return np.clip((features - self.offsets) / self.scales, -self.reach, self.reach).astype(np.float32)


_REFERENCE = np.linspace(0, 1, 21)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Says which version a model is, what it looks at, what it is told of each device, and from what it learned."""

    version: str
    recipe: Mapping[str, Any]
    teaching: Mapping[str, Any]
    constants: Constants = field(default_factory=Constants)


class Shape(Protocol):
    """Names the hidden layers, and how they are trained."""

    @property
    def hidden(self) -> tuple[int, ...]: ...
    @property
    def schedule(self) -> Schedule: ...


def package(directory: Path, model: bytes, manifest: dict[str, Any], features: Floats, tolerance: float) -> Bundle:
    """Writes both files and returns the bundle, loaded. `features` are those of the golden cases, before normalisation."""
    outputs = run_model(directory, model, manifest, features)
    bundle = Bundle.load(directory)
    cases = [
        {"features": row.tolist(), "outputs": np.round(output, 6).tolist(), "label": bundle.label(float(output[1]))}
        for row, output in zip(features, outputs, strict=True)
    ]
    _write(directory, {**manifest, "golden": {"tolerance": tolerance, "cases": cases}})
    return Bundle.load(directory)


def manifest_of(  # noqa: PLR0913 - the parts of a manifest
    *,
    about: Mapping[str, str],
    trained: TrainedModel,
    inputs: Inputs,
    ranges: Mapping[str, Sequence[float]] | None = None,
    constants: Mapping[str, float] | None = None,
    score: Mapping[str, Any],
    teaching: Mapping[str, Any],
    size: Shape,
    seed: int,
) -> dict[str, Any]:
    """Returns the manifest but for golden cases. `about` is name, version, description and unit; `teaching` says from what the model
    learned, `ranges` what its channels can be, `constants` what holds for a device of which nothing is known.
    """
    return {
        "format": FORMAT,
        **about,
        "sha256": sha256(trained.model).hexdigest(),
        "channels": inputs[0],
        **({"ranges": ranges} if ranges else {}),
        **({"constants": constants} if constants else {}),
        "recipe": inputs[1],
        "normalisation": {"offsets": trained.offsets.tolist(), "scales": trained.scales.tolist()},
        "reference": {"quantiles": trained.reference},
        "score": score,
        "training": {
            **teaching,
            "hidden": list(size.hidden),
            "epochs": size.schedule.epochs,
            "seed": seed,
            "numpy": version("numpy"),
        },
    }


def reference(examples: Floats) -> list[list[float]]:
    """Returns the quantiles of each input that a manifest has, of training examples (rows, inputs) before normalisation."""
    return short(np.quantile(examples, _REFERENCE, axis=0).T).tolist()


def run_model(directory: Path, model: bytes, manifest: dict[str, Any], features: Floats) -> Doubles:
    """Runs these rows through the model: shape (rows, inputs) -> (rows, 3). Leaves a bundle behind whose golden case is blank."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MODEL_FILE).write_bytes(model)
    blank = [{"features": features[0].tolist(), "outputs": [0.0, 0.0, 0.0], "label": manifest["score"]["labels"][0]}]
    _write(directory, {**manifest, "golden": {"tolerance": 0.0, "cases": blank}})
    return run_bundle(Bundle.load(directory), features)


def run_bundle(bundle: Bundle, features: Floats) -> Doubles:
    """Returns low, score and high as a gateway's runtime gives them: shape (rows, inputs) -> (rows, 3)."""
    return Model(bundle.runnable(), tflite.load()).run(np.asarray(features, np.float64))


def short(values: Floats) -> Floats:
    """Rounds to numbers that a person can read in the manifest."""
    return np.vectorize(lambda value: float(f"{value:.5g}"))(values)


def read_manifest(bundle: Bundle) -> Any:
    """Returns the whole manifest, with what it says of the training."""
    return json.loads((bundle.path / MANIFEST_FILE).read_bytes())


def _write(directory: Path, manifest: dict[str, Any]) -> None:
    (directory / MANIFEST_FILE).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
