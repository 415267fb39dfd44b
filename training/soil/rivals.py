"""Decides whether a soil model may follow the one that runs.

It may if it is better than that one, and than rules on moisture, at sites that had no part in training: in error, in error in the decisive
range, and in right verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from edge.models.bundle import Bundle
from training.build.dense import Floats
from training.build.package_bundle import run_bundle
from training.build.succession import CURRENT, SUCCESSOR, refusals
from training.soil.examples import Examples
from training.soil.metrics import LIMITS, Metrics, ThresholdRule, line, measure, shortcomings
from training.soil.training_set import TrainingSet

RAW_RULE, RELATIVE_RULE = "threshold rule on moisture", "threshold rule on moisture relative to the wettest seen"
SHARE_RULE = "threshold rule on the share of the soil's water that is gone"
_RULES = {RAW_RULE: "now", RELATIVE_RULE: "dryness", SHARE_RULE: "lost_share"}
"""Rule -> the feature that it looks at."""


@dataclass(frozen=True, slots=True)
class SoilSuccession:
    """Maps the successor, the release that runs and the rules to their metrics on the same examples of the sites held out."""

    metrics: Mapping[str, Metrics]
    examples: int
    sites: tuple[str, ...]

    @property
    def refusals(self) -> tuple[str, ...]:
        return refusals(shortcomings(self.metrics, SUCCESSOR), "beat")

    def table(self) -> list[str]:
        heading = f"{self.examples} examples at {len(self.sites)} sites held out:"
        return [heading, *(line(name, metrics) for name, metrics in self.metrics.items())]


def compare(bundle: Bundle, current: Bundle, known: TrainingSet, unseen: TrainingSet) -> SoilSuccession:
    """Tunes the rules on `known`, and measures all on those windows of `unseen` in which both models have what they need."""
    features, theirs = unseen.features(bundle.recipe), unseen.features(current.recipe)
    ours = unseen.examples(np.where(_whole(theirs), features, np.nan))
    predicted = {
        SUCCESSOR: run_bundle(bundle, ours.features),
        CURRENT: run_bundle(current, unseen.examples(np.where(_whole(features), theirs, np.nan)).features),
        **rules(bundle, known.examples(known.features(bundle.recipe)), ours),
    }
    return SoilSuccession({name: measure(values, ours.days, LIMITS) for name, values in predicted.items()}, len(ours.days), unseen.sites)


def _whole(features: Floats) -> Floats:
    return np.isfinite(features).all(axis=1)[:, None]


def rules(bundle: Bundle, known: Examples, unseen: Examples, names: Iterable[str] = tuple(_RULES)) -> dict[str, Floats]:
    """Tunes each rule on `known`; returns the days that it says of `unseen`, shape (rows, 1). Both have the features of the bundle."""
    found = {}
    for name in names:
        column = bundle.recipe.inputs.index(_RULES[name])
        found[name] = ThresholdRule.tuned(known.features, known.days, column).predict(unseen.features)
    return found
