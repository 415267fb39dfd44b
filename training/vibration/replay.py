"""Replays real recordings through the gateway's own code, and measures on them the shipped model and one trained on healthy recordings.

There are three healthy runs. Each pair of them in turn is history and sets the threshold, and the third is held out; no figure is
about a run that anything was trained or set on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from edge.models import tflite
from edge.models.bundle import Bundle
from edge.models.model import Model
from training.build.dense import Schedule
from training.build.package_bundle import run_model
from training.vibration.bearing import Floats
from training.vibration.detection import auc
from training.vibration.machine import SAMPLES, Frame
from training.vibration.recordings import HEALTHY, Recording, frames, windows
from training.vibration.run_to_failure import Observations, observe
from training.vibration.train import Size, healthy_threshold, manifest_of, simulated, train

FRAMES = 4
HOP = SAMPLES // 4
STEP = 7
"""Frames of a window overlap by three quarters, so that a window takes as long as seven hops; windows do not overlap, but those that are
trained on do.
"""
_HOURS = 2.0
Windows = Sequence[Sequence[Frame]]
SIZE = Size(hidden=(32, 6, 32), schedule=Schedule(epochs=400, noise=0.6, decay=1e-4))


@dataclass(frozen=True, slots=True)
class Figures:
    """Holds shares over all folds, of windows of held-out runs only: `false_alarms` on healthy ones; recall and AUC by kind of fault."""

    false_alarms: float
    worst: float
    """The worst fold has this share of false alarms."""
    recall: Mapping[str, float]
    auc: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Fold:
    """A fold has a healthy run as history, another to set the threshold on, a third held out; and what was observed after the history, by
    run.
    """

    history: str
    validation: str
    held_out: str
    observations: Mapping[str, Observations]


def folds(runs: Sequence[Recording]) -> list[Fold]:
    """Makes a fold for each order of three healthy runs."""
    cut = {run.name: list(windows(frames(run, HOP), FRAMES, STEP)) for run in runs}
    healthy = [run.name for run in runs if run.kind == HEALTHY]
    after = {name: {other: _after(cut[name], cut[other]) for other in cut if other != name} for name in healthy}
    return [Fold(first, second, third, after[first]) for first, second, third in permutations(healthy, 3)]


def _after(history: Windows, then: Windows) -> Observations:
    """Returns the rows of `then` when the machine has just run through `history`, a window every two hours."""
    observations = observe(0, [(number * _HOURS, 0.0, frames) for number, frames in enumerate([*history, *then])])
    return _rows(observations, observations.hours >= len(history) * _HOURS)


def _rows(observations: Observations, which: Any) -> Observations:
    return replace(observations, **{name: getattr(observations, name)[which] for name in Observations.__slots__})


Scored = tuple[Fold, Mapping[str, Floats], float]
"""A fold comes with the scores of its runs and its threshold."""


def figures(kinds: Mapping[str, str], scored: Sequence[Scored]) -> Figures:
    """Measures over all folds; `kinds` maps faulty runs to their kind."""
    false_alarms = [scores[fold.held_out] > threshold for fold, scores, threshold in scored]
    by_kind = {kind: [name for name in kinds if kinds[name] == kind] for kind in dict.fromkeys(kinds.values())}
    return Figures(
        false_alarms=float(np.concatenate(false_alarms).mean()),
        worst=max(float(alarms.mean()) for alarms in false_alarms),
        recall={
            kind: float(np.mean([(scores[name] > threshold).mean() for _, scores, threshold in scored for name in names]))
            for kind, names in by_kind.items()
        },
        auc={
            kind: float(
                np.mean([auc(scores[fold.held_out], np.concatenate([scores[name] for name in names])) for fold, scores, _ in scored])
            )
            for kind, names in by_kind.items()
        },
    )


def shipped(bundle: Bundle, folds: Sequence[Fold]) -> list[Scored]:
    """Scores each fold by the bundle as it is, with its own threshold."""
    model = Model(bundle.runnable(), tflite.load())
    return [
        (fold, {name: model.run(observed.features)[:, 1] for name, observed in fold.observations.items()}, bundle.thresholds[0])
        for fold in folds
    ]


def adapted(runs: Sequence[Recording], folds: Sequence[Fold], seed: int) -> list[Scored]:
    """Scores each fold by the same network trained on the fold's history, with a threshold from its validation run by the same rule."""
    sliding = {run.name: list(windows(frames(run, HOP), FRAMES, 1)) for run in runs if run.kind == HEALTHY}
    return [_adapted(fold, sliding[fold.history], seed) for fold in folds]


def _adapted(fold: Fold, history: Windows, seed: int) -> Scored:
    known = observe(0, [(number * _HOURS, 0.0, window) for number, window in enumerate(history)])
    trained = train(known.features, seed, SIZE)
    manifest = manifest_of(trained, seed, SIZE, simulated(SIZE))
    with tempfile.TemporaryDirectory() as folder:
        scores = {
            name: run_model(Path(folder), trained.model, manifest, observed.features)[:, 1] for name, observed in fold.observations.items()
        }
    return fold, scores, healthy_threshold(scores[fold.validation])


def rule(folds: Sequence[Fold], feature: str) -> list[Scored]:
    """Scores each fold by a feature, with a threshold from its validation run by the same rule."""
    return [
        (
            fold,
            {name: getattr(observed, feature) for name, observed in fold.observations.items()},
            healthy_threshold(getattr(fold.observations[fold.validation], feature)),
        )
        for fold in folds
    ]
