"""Reads a model bundle from disk: model.tflite and manifest.json, which says everything needed to run it.

Guarantees that a loaded bundle is complete and consistent and that model.tflite is the file its manifest names (SHA-256).
Whether the model answers as its golden cases say is checked where it runs, in the scorer's child.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from edge.models import constants
from edge.models.constants import Constants
from edge.models.outputs import COLUMNS, OUTPUTS, QUANTILES
from edge.models.recipe import Recipe, RecipeError
from edge.models.runnable import BundleError, Golden, Runnable, label_of
from edge.units import Range, possible
from schemas.records import Severity

__all__ = ["Bundle", "BundleError"]

FORMAT = "tinybeam-bundle/1"
MODEL_FILE = "model.tflite"
MANIFEST_FILE = "manifest.json"
MAX_MODEL_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Holds a checked bundle. `labels[i]` holds below `thresholds[i]`, the last label above them all. `limits` bound the score."""

    path: Path
    name: str
    version: str
    sha256: str
    unit: str
    channels: tuple[str, ...]
    units: Mapping[str, str]
    ranges: Mapping[str, Range]
    """What each channel can be, in its unit: what the unit allows, and what the manifest says. A value beyond it is no measurement."""
    constants: Constants
    """What it is told of each device, by names that the recipe uses as it does channels."""
    recipe: Recipe
    offsets: tuple[float, ...]
    scales: tuple[float, ...]
    labels: tuple[str, ...]
    thresholds: tuple[float, ...]
    limits: tuple[float, float]
    golden: tuple[Golden, ...]
    tolerance: float
    kind: str
    """That of the model's outputs, one of edge.models.outputs.OUTPUTS."""
    normal_label: str
    """The label that nobody needs to hear of first."""
    severities: Mapping[str, str]
    """How much an event of each label matters."""
    reference: tuple[tuple[float, ...], ...]
    """Quantiles of each input over the training examples, from the least to the greatest; empty where the manifest has none."""
    hysteresis: float
    """How far beyond a threshold the score must be before the label gets better again."""
    release: int | None = None
    """The number of the release that it came by, None for one that the configuration names."""

    @staticmethod
    def load(path: str | Path) -> Bundle:
        """Reads and checks the bundle in a folder. Raises BundleError."""
        return load(Path(path))

    @property
    def model_file(self) -> Path:
        """Says where the model itself lies."""
        return self.path / MODEL_FILE

    @property
    def outputs(self) -> int:
        """Says how many numbers the model itself answers for a row."""
        return OUTPUTS[self.kind].width(len(self.recipe.inputs))

    def runnable(self) -> Runnable:
        """Reads the model, and returns what a process needs that runs it. Raises BundleError: the file may have changed since."""
        return Runnable(
            model=read_model(self),
            file=str(self.model_file),
            kind=self.kind,
            outputs=self.outputs,
            offsets=self.offsets,
            scales=self.scales,
            limits=self.limits,
            labels=self.labels,
            thresholds=self.thresholds,
            golden=self.golden,
            tolerance=self.tolerance,
        )

    def label(self, score: float) -> str:
        """Returns the label of a score."""
        return label_of(score, self.labels, self.thresholds)

    def label_with_hysteresis(self, score: float, before: str) -> str:
        """Returns the label of a score after another label: it gets worse at a threshold, and better only beyond it by `hysteresis`."""
        if before not in self.labels:
            return self.label(score)
        previous, normal = self.labels.index(before), self.labels.index(self.normal_label)
        passed = [score >= self._threshold(number, previous, normal) for number in range(len(self.thresholds))]
        return self.labels[sum(passed)]

    def _threshold(self, number: int, previous: int, normal: int) -> float:
        """Labels up to `number` lie below a threshold, the others above. Towards the normal label it lies farther off."""
        if normal <= number < previous:
            return self.thresholds[number] - self.hysteresis
        if previous <= number < normal:
            return self.thresholds[number] + self.hysteresis
        return self.thresholds[number]


def load(path: Path) -> Bundle:
    """Reads and checks the bundle in a folder. Raises BundleError."""
    manifest_file = path / MANIFEST_FILE
    try:
        manifest = json.loads(_read(manifest_file))
    except ValueError as error:
        raise BundleError(f"{manifest_file}: not JSON: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        form = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise BundleError(f"{manifest_file}: format is {form!r}, this version reads {FORMAT!r}")
    try:
        bundle = _bundle(path, manifest)
    except RecipeError as error:
        raise BundleError(f"{manifest_file}: recipe: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{manifest_file}: {_reason(error)}") from error
    read_model(bundle)
    return bundle


def read_model(bundle: Bundle) -> bytes:
    """Reads and verifies the bytes of model.tflite. Raises BundleError."""
    model = _read(bundle.model_file)
    digest = sha256(model).hexdigest()
    if digest != bundle.sha256:
        raise BundleError(f"{bundle.model_file}: SHA-256 is {digest}, the manifest says {bundle.sha256}")
    return model


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > MAX_MODEL_BYTES:
            raise BundleError(f"{file}: larger than {MAX_MODEL_BYTES} bytes")
        return file.read_bytes()
    except OSError as error:
        raise BundleError(f"{file}: {error.strerror or error}") from error


def _reason(error: Exception) -> str:
    return f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)


def _bundle(path: Path, manifest: dict[str, Any]) -> Bundle:
    channels = {str(name): str(unit) for name, unit in manifest["channels"].items()}
    known = constants.read(path, manifest.get("constants", {}), channels)
    normalisation, score = manifest["normalisation"], manifest["score"]
    labels = tuple(map(str, score["labels"]))
    normal_label = str(score.get("best", labels[-1]))
    bundle = Bundle(
        path=path,
        name=_text(manifest, "name"),
        version=_text(manifest, "version"),
        sha256=_text(manifest, "sha256"),
        unit=_text(manifest, "unit"),
        channels=tuple(channels),
        units=channels,
        ranges=_ranges(channels, manifest.get("ranges", {})),
        constants=known,
        recipe=Recipe.parse(manifest["recipe"], (*channels, *known.names)),
        offsets=_numbers(normalisation["offsets"]),
        scales=_numbers(normalisation["scales"]),
        labels=labels,
        thresholds=_numbers(score["thresholds"]),
        limits=(float(score["limits"][0]), float(score["limits"][1])),
        golden=tuple(
            Golden(_numbers(case["features"]), _numbers(case["outputs"]), str(case["label"])) for case in manifest["golden"]["cases"]
        ),
        tolerance=float(manifest["golden"]["tolerance"]),
        kind=str(score.get("kind", QUANTILES)),
        normal_label=normal_label,
        severities={**{label: "info" if label == normal_label else "warning" for label in labels}, **score.get("severities", {})},
        reference=tuple(map(_numbers, manifest.get("reference", {}).get("quantiles", ()))),
        hysteresis=float(score.get("hysteresis", 0.0)),
    )
    _check(bundle)
    return bundle


def _ranges(units: Mapping[str, str], declared: Mapping[str, Any]) -> dict[str, Range]:
    """Reads `ranges`, channel -> [least, greatest]."""
    if unknown := sorted(declared.keys() - units.keys()):
        raise ValueError(f"ranges: {unknown[0]!r} is not one of its channels")
    ranges = {}
    for channel, unit in units.items():
        low, high = _numbers(declared[channel]) if channel in declared else (-math.inf, math.inf)
        ranges[channel] = possible(unit).within(Range(low, high))
        if not ranges[channel].low < ranges[channel].high:
            raise ValueError(f"ranges: no value of {channel} in {unit} is possible from {low:g} to {high:g}")
    return ranges


def _check(bundle: Bundle) -> None:
    inputs = len(bundle.recipe.inputs)
    if len(bundle.offsets) != inputs or len(bundle.scales) != inputs:
        raise ValueError(f"normalisation needs {inputs} offsets and scales, one for each input of the recipe")
    if not all(scale > 0 for scale in bundle.scales):
        raise ValueError("normalisation scales must be > 0")
    if len(bundle.labels) != len(bundle.thresholds) + 1 or list(bundle.thresholds) != sorted(set(bundle.thresholds)):
        raise ValueError("score needs ascending thresholds and one label more than thresholds")
    _check_score(bundle)
    if bundle.reference and (len(bundle.reference) != inputs or any(len(each) < 2 for each in bundle.reference)):
        raise ValueError(f"reference needs at least two quantiles for each of the {inputs} inputs")
    if not bundle.golden:
        raise ValueError("golden has no cases")
    if any(len(case.features) != inputs or len(case.outputs) != len(COLUMNS) for case in bundle.golden):
        raise ValueError(f"a golden case needs {inputs} features and {len(COLUMNS)} outputs")


def _check_score(bundle: Bundle) -> None:
    if bundle.kind not in OUTPUTS:
        raise ValueError(f"score.kind is {bundle.kind!r}, this version knows {', '.join(OUTPUTS)}")
    if bundle.normal_label not in bundle.labels or not bundle.severities.keys() <= set(bundle.labels):
        raise ValueError("score.best and the keys of score.severities must be labels")
    if not all(severity in tuple(Severity) for severity in bundle.severities.values()):
        raise ValueError(f"score.severities must be {', '.join(Severity)}")
    # Else a label that gets better would pass two thresholds in the wrong order.
    nearest = min((high - low for low, high in pairwise(bundle.thresholds)), default=math.inf)
    if not 0 <= bundle.hysteresis < nearest:
        raise ValueError("score.hysteresis must not be negative, and less than the thresholds lie apart")


def _text(manifest: Mapping[str, Any], key: str) -> str:
    value = manifest[key]
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} must be a text")
    return value


def _numbers(values: Any) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a number is not finite")
    return numbers
