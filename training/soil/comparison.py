"""Compares the soil model with the rules it has to beat, on climates that it never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edge.models import tflite
from edge.models.bundle import Bundle
from edge.models.model import Model
from training.build.dense import Floats, Schedule, fit, predict
from training.build.package_bundle import TrainedModel
from training.soil.examples import Examples
from training.soil.metrics import LABELS, LIMITS, Metrics, measure, shortcomings, verdicts
from training.soil.rivals import RAW_RULE, RELATIVE_RULE, rules

MODEL, FLOAT, LINEAR = "**int8 model, as shipped**", "the same network in float", "linear quantile model, same features"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Maps the model and the baselines, by name, to their metrics on the same examples."""

    metrics: Mapping[str, Metrics]
    runtime: str
    examples: int

    @property
    def model(self) -> Metrics:
        return self.metrics[MODEL]

    @property
    def shortcomings(self) -> Mapping[str, list[str]]:
        """Maps a baseline to the metrics in which the model is not better; empty if it beats every baseline in every one."""
        return shortcomings({name: self.metrics[name] for name in (MODEL, RAW_RULE, RELATIVE_RULE, LINEAR)}, MODEL)


@dataclass(frozen=True, slots=True)
class Predictions:
    """Holds the quantiles of each example by the int8 model and by the network in float, shape (rows, 3)."""

    int8: Floats
    floating: Floats
    runtime: str

    @property
    def agreement(self) -> float:
        """Returns the share of the examples in which both give the same verdict."""
        return float((verdicts(self.int8[:, 1]) == verdicts(np.sort(self.floating, axis=1)[:, 1])).mean())

    def confusion(self, unseen: Examples) -> tuple[tuple[int, ...], ...]:
        """Counts the examples. Rows are of a true verdict, columns of the int8 model's."""
        predicted, true = verdicts(self.int8[:, 1]), verdicts(unseen.days)
        numbers = range(len(LABELS))
        return tuple(tuple(int(((true == row) & (predicted == column)).sum()) for column in numbers) for row in numbers)


def predict_all(trained: TrainedModel, bundle: Bundle, unseen: Examples) -> Predictions:
    runtime = tflite.load()
    floating = predict(trained.network, trained.normalised(unseen.features))
    return Predictions(np.asarray(Model(bundle.runnable(), runtime).run(unseen.features)), floating, runtime.name)


def compare(predictions: Predictions, bundle: Bundle, known: Examples, unseen: Examples) -> Comparison:
    """Tunes the baselines on `known`, and measures them and the predictions on `unseen`."""
    by_name = {MODEL: predictions.int8, FLOAT: predictions.floating, **baselines(bundle, known, unseen)}
    metrics = {name: measure(values, unseen.days, LIMITS) for name, values in by_name.items()}
    return Comparison(metrics, predictions.runtime, len(unseen.days))


def baselines(bundle: Bundle, known: Examples, unseen: Examples) -> dict[str, Floats]:
    """Tunes the rules to beat on `known`; returns what they predict for `unseen`."""
    inputs = [np.clip((part.features - bundle.offsets) / bundle.scales, -1.0, 1.0) for part in (known, unseen)]
    linear = predict(fit(inputs[0], known.days, (), 0, Schedule(epochs=20)), inputs[1].astype(np.float32))
    return {LINEAR: linear, **rules(bundle, known, unseen, (RAW_RULE, RELATIVE_RULE))}
