"""Measures models and rules on what the warehouse holds of a season, against what the crop-water model knows of the fields.

What a model said is what gateways sent. What the model before would have said there, and the rules, are computed from the same windows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from google.cloud import bigquery

from edge.models.bundle import Bundle
from lab.loop.result import Example, Moment
from lab.loop.world import ProbeSeason
from lab.services.stack import StartFailed
from lab.witness.questions import ask
from training.build.dense import Floats
from training.build.package_bundle import run_bundle
from training.build.succession import CURRENT, SUCCESSOR
from training.soil.examples import Examples
from training.soil.metrics import DECISIVE_DAYS, LIMITS, Metrics, measure
from training.soil.rivals import rules
from training.soil.training_set import SoilWindow, TrainingSet

_SAID = """
select device_id, window_start, score
from tinybeam.inferences_between(@from_time, @to_time)
where model_sha256 = @sha256
"""

_DAY = timedelta(days=1)
NAMES = {SUCCESSOR: "v2", CURRENT: "v1"}
"""What the gate calls a model -> what the loop calls it."""

Key = tuple[str, datetime]
"""Device and start of a window."""


def said(client: bigquery.Client, bundle: Bundle, from_time: datetime, to_time: datetime) -> dict[Key, float]:
    """Returns the score of each window that a model judged."""
    rows = ask(client, _SAID, from_time=from_time, to_time=to_time, sha256=bundle.sha256)
    return {(row.device_id, row.window_start): row.score for row in rows}


def truth_of(probes: Sequence[ProbeSeason]) -> dict[Key, float]:
    """Returns the days until stress of each window, as the crop-water model knows them, where it does."""
    return {key: float(days) for each in probes for key, days in zip(each.windows, each.truth, strict=True) if np.isfinite(days)}


@dataclass(frozen=True, slots=True)
class Measured:
    """Maps v2, v1 and each rule to their metrics on the same windows."""

    metrics: Mapping[str, Metrics]
    windows: int
    example: Example | None


def measure_all(
    scores: Mapping[Key, float], truth: Mapping[Key, float], models: Mapping[str, Bundle], known: TrainingSet, unseen: TrainingSet
) -> Measured:
    """Measures v2 by the score that it said and the interval that it computes, on windows of `unseen`; on the same ones v1, and the rules,
    which are tuned on `known`.

    Raises StartFailed if v2 judged none of them.
    """
    successor, current = models["v2"], models["v1"]
    keys = [(window.device_id, window.window_start) for window in unseen.windows]
    ours, theirs = unseen.features(successor.recipe), unseen.features(current.recipe)
    counted = np.array([key in scores and key in truth for key in keys]) & np.isfinite(ours).all(axis=1) & np.isfinite(theirs).all(axis=1)
    if not counted.any():
        raise StartFailed("v2 judged no window of a site held out that can be measured: how its rollout went is told above")
    days = np.array([truth.get(key, np.nan) for key in keys])[counted]
    examples = Examples(ours[counted], days, np.zeros(len(days), np.int64))
    computed = run_bundle(successor, ours[counted])
    heard = np.array([scores.get(key, np.nan) for key in keys])[counted]
    predicted: dict[str, Floats] = {
        "v2": np.column_stack([computed[:, 0], heard, computed[:, 2]]),
        "v1": run_bundle(current, theirs[counted]),
        **rules(successor, known.examples(known.features(successor.recipe)), examples),
    }
    windows = [window for window, counts in zip(unseen.windows, counted, strict=True) if counts]
    example = _example(windows, days, heard, predicted["v1"][:, 1])
    return Measured({name: measure(values, days, LIMITS) for name, values in predicted.items()}, len(days), example)


def _example(windows: Sequence[SoilWindow], days: Floats, ours: Floats, theirs: Floats) -> Example | None:
    """Returns the site with the most windows shortly before stress."""
    decisive = Counter(window.site_id for window, left in zip(windows, days, strict=True) if 0 < left < DECISIVE_DAYS)
    if not decisive:
        return None
    [(site, _)] = decisive.most_common(1)
    begin = min(window.window_start for window in windows if window.site_id == site)
    rows = tuple(
        Moment(day=round((window.window_start - begin) / _DAY, 3), came=float(came), v2=float(our), v1=float(their))
        for window, came, our, their in zip(windows, days, ours, theirs, strict=True)
        if window.site_id == site
    )
    return Example(site_id=site, rows=rows)
