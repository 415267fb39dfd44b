"""Replays real recordings through the gateway's own code, and holds the shipped model, and one trained on healthy recordings, against them.

There are three healthy runs. Each pair of them takes its turn as history and for the threshold, and the third is held out; no figure is
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
from edge.models.child import Model
from training.build.dense import Schedule
from training.build.package_bundle import answers
from training.vibration.bearing import Floats
from training.vibration.detection import auc
from training.vibration.machine import SAMPLES, Frame
from training.vibration.recordings import HEALTHY, Recording, frames, windows
from training.vibration.run_to_failure import Heard, follow
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
    """Shares over all turns, of windows of held-out runs only: `false_alarms` on healthy ones; what is found and AUC by kind of fault."""

    false_alarms: float
    worst: float
    """The share in the worst turn."""
    found: Mapping[str, float]
    auc: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Turn:
    """What came after a healthy history: by run, in the order of the recording."""

    history: str
    validation: str
    held_out: str
    heard: Mapping[str, Heard]


def turns(runs: Sequence[Recording]) -> list[Turn]:
    """One for each order of three healthy runs."""
    cut = {run.name: list(windows(frames(run, HOP), FRAMES, STEP)) for run in runs}
    healthy = [run.name for run in runs if run.kind == HEALTHY]
    after = {name: {other: _after(cut[name], cut[other]) for other in cut if other != name} for name in healthy}
    return [Turn(first, second, third, after[first]) for first, second, third in permutations(healthy, 3)]


def _after(history: Windows, then: Windows) -> Heard:
    """The rows of `then` when the machine has just lived through `history`, a window every two hours."""
    moments = [(number * _HOURS, 0.0, each) for number, each in enumerate([*history, *then])]
    heard = follow(0, moments)
    return _rows(heard, heard.hours >= len(history) * _HOURS)


def _rows(heard: Heard, which: Any) -> Heard:
    return replace(heard, **{name: getattr(heard, name)[which] for name in Heard.__slots__})


def figures(kinds: Mapping[str, str], said: Sequence[tuple[Turn, Mapping[str, Floats], float]]) -> Figures:
    """`kinds` maps faulty runs to their kind; each turn comes with the scores of its runs and its threshold."""
    false_alarms = [scores[turn.held_out] > limit for turn, scores, limit in said]
    by_kind = {kind: [name for name in kinds if kinds[name] == kind] for kind in dict.fromkeys(kinds.values())}
    return Figures(
        false_alarms=float(np.concatenate(false_alarms).mean()),
        worst=max(float(each.mean()) for each in false_alarms),
        found={
            kind: float(np.mean([(scores[name] > limit).mean() for _, scores, limit in said for name in names]))
            for kind, names in by_kind.items()
        },
        auc={
            kind: float(np.mean([auc(scores[turn.held_out], np.concatenate([scores[name] for name in names])) for turn, scores, _ in said]))
            for kind, names in by_kind.items()
        },
    )


def shipped(bundle: Bundle, made: Sequence[Turn]) -> list[tuple[Turn, Mapping[str, Floats], float]]:
    """The bundle as it is, its own threshold."""
    model = Model(bundle, tflite.load())
    return [(turn, {name: model.run(heard.features)[:, 1] for name, heard in turn.heard.items()}, bundle.thresholds[0]) for turn in made]


def adapted(runs: Sequence[Recording], made: Sequence[Turn], seed: int) -> list[tuple[Turn, Mapping[str, Floats], float]]:
    """The same network trained on the history of each turn, its threshold from the turn's validation run, by the same rule."""
    sliding = {run.name: list(windows(frames(run, HOP), FRAMES, 1)) for run in runs if run.kind == HEALTHY}
    return [_adapted(turn, sliding[turn.history], seed) for turn in made]


def _adapted(turn: Turn, history: Windows, seed: int) -> tuple[Turn, Mapping[str, Floats], float]:
    known = follow(0, [(number * _HOURS, 0.0, each) for number, each in enumerate(history)])
    trained = train(known.features, seed, SIZE)
    manifest = manifest_of(trained, seed, SIZE)
    with tempfile.TemporaryDirectory() as folder:
        scores = {name: answers(Path(folder), trained.model, manifest, heard.features)[:, 1] for name, heard in turn.heard.items()}
    return turn, scores, threshold(scores[turn.validation])


def rule(made: Sequence[Turn], level: str) -> list[tuple[Turn, Mapping[str, Floats], float]]:
    """A threshold on a level, set on the turn's validation run by the same rule."""
    return [
        (turn, {name: getattr(heard, level) for name, heard in turn.heard.items()}, threshold(getattr(turn.heard[turn.validation], level)))
        for turn in made
    ]
