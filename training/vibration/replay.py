"""Replays real recordings through the gateway's own code, and holds the shipped model, and one trained on healthy recordings, against them.

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
from training.build.package_bundle import answers
from training.vibration.bearing import Floats
from training.vibration.detection import auc
from training.vibration.machine import SAMPLES, Frame
from training.vibration.recordings import HEALTHY, Recording, frames, windows
from training.vibration.run_to_failure import Observations, observe
from training.vibration.train import Size, manifest_of, threshold, train

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
    """Shares over all folds, of windows of held-out runs only: `false_alarms` on healthy ones; recall and AUC by kind of fault."""

    false_alarms: float
    worst: float
    """The share in the worst fold."""
    recall: Mapping[str, float]
    auc: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Fold:
    """A healthy run as history, another to set the threshold on, the third held out; and what was observed after the history, by run."""

    history: str
    validation: str
    held_out: str
    observations: Mapping[str, Observations]


def folds(runs: Sequence[Recording]) -> list[Fold]:
    """One for each order of three healthy runs."""
    cut = {run.name: list(windows(frames(run, HOP), FRAMES, STEP)) for run in runs}
    healthy = [run.name for run in runs if run.kind == HEALTHY]
    after = {name: {other: _after(cut[name], cut[other]) for other in cut if other != name} for name in healthy}
    return [Fold(first, second, third, after[first]) for first, second, third in permutations(healthy, 3)]


def _after(history: Windows, then: Windows) -> Observations:
    """The rows of `then` when the machine has just run through `history`, a window every two hours."""
    observations = observe(0, [(number * _HOURS, 0.0, frames) for number, frames in enumerate([*history, *then])])
    return _rows(observations, observations.hours >= len(history) * _HOURS)


def _rows(observations: Observations, which: Any) -> Observations:
    return replace(observations, **{name: getattr(observations, name)[which] for name in Observations.__slots__})


Scored = tuple[Fold, Mapping[str, Floats], float]
"""A fold with the scores of its runs and its threshold."""


def figures(kinds: Mapping[str, str], scored: Sequence[Scored]) -> Figures:
    """`kinds` maps faulty runs to their kind."""
    false_alarms = [scores[fold.held_out] > limit for fold, scores, limit in scored]
    by_kind = {kind: [name for name in kinds if kinds[name] == kind] for kind in dict.fromkeys(kinds.values())}
    return Figures(
        false_alarms=float(np.concatenate(false_alarms).mean()),
        worst=max(float(alarms.mean()) for alarms in false_alarms),
        recall={
            kind: float(np.mean([(scores[name] > limit).mean() for _, scores, limit in scored for name in names]))
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
    """The bundle as it is, its own threshold."""
    model = Model(bundle, tflite.load())
    return [
        (fold, {name: model.run(observed.features)[:, 1] for name, observed in fold.observations.items()}, bundle.thresholds[0])
        for fold in folds
    ]


def adapted(runs: Sequence[Recording], folds: Sequence[Fold], seed: int) -> list[Scored]:
    """The same network trained on the history of each fold, its threshold from the fold's validation run, by the same rule."""
    sliding = {run.name: list(windows(frames(run, HOP), FRAMES, 1)) for run in runs if run.kind == HEALTHY}
    return [_adapted(fold, sliding[fold.history], seed) for fold in folds]


def _adapted(fold: Fold, history: Windows, seed: int) -> Scored:
    known = observe(0, [(number * _HOURS, 0.0, window) for number, window in enumerate(history)])
    trained = train(known.features, seed, SIZE)
    manifest = manifest_of(trained, seed, SIZE)
    with tempfile.TemporaryDirectory() as folder:
        scores = {
            name: answers(Path(folder), trained.model, manifest, observed.features)[:, 1] for name, observed in fold.observations.items()
        }
    return fold, scores, threshold(scores[fold.validation])


def rule(folds: Sequence[Fold], feature: str) -> list[Scored]:
    """A threshold on a feature, set on the fold's validation run by the same rule."""
    return [
        (
            fold,
            {name: getattr(observed, feature) for name, observed in fold.observations.items()},
            threshold(getattr(fold.observations[fold.validation], feature)),
        )
        for fold in folds
    ]
