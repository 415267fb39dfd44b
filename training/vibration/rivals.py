"""Decides whether a vibration model may follow the one that runs.

It may if it finds bearings that were replaced as well as that one and as simple rules, each at the threshold that gives the same share
of false alarms on machines that had no part in training: in the windows of the last week, in bearings and in hours of warning; and if at
its own threshold it gives no more false alarms than that share, or than the release that runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from edge.models.bundle import Bundle
from training.build.dense import Floats
from training.build.package_bundle import run_bundle
from training.build.succession import CURRENT, SUCCESSOR, refusals
from training.vibration.detection import auc
from training.vibration.train import FALSE_ALARMS
from training.vibration.training_set import Rows, TrainingSet

RMS, RISE, KURTOSIS = "threshold on RMS", "threshold on RMS relative to the machine's own", "threshold on kurtosis"
_KURTOSIS_INPUT = "shocks"
LAST_HOURS = 168
IN_A_ROW = 3
"""A warning is the first of so many windows in a row above the threshold: one alone may be chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Holds shares and hours at the threshold that just FALSE_ALARMS of the sound windows lie above: `found` of the windows of the last
    week before a replacement, `warned` of the replaced bearings, and the median of their `warning_hours`, 0 for one without a warning.
    """

    auc: float
    found: float
    warned: float
    warning_hours: float
    false_alarms: float | None = None
    """The share of the sound windows above the model's own threshold; None of a rule, which has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VibrationSuccession:
    """Maps the successor, the release that runs and the rules to their metrics on the same windows of the machines held out."""

    metrics: Mapping[str, Metrics]
    windows: int
    """So many are known to be sound."""
    failures: int
    machines: tuple[str, ...]

    @property
    def refusals(self) -> tuple[str, ...]:
        ours = self.metrics[SUCCESSOR]
        others = {name: _worse(ours, theirs) for name, theirs in self.metrics.items() if name != SUCCESSOR}
        return refusals({name: words for name, words in others.items() if words}, "match")

    def table(self) -> list[str]:
        heading = f"{self.windows} sound windows and {self.failures} replaced bearings at {len(self.machines)} machines held out:"
        return [heading, *(_line(name, metrics) for name, metrics in self.metrics.items())]


@dataclass(frozen=True, slots=True)
class Compared:
    """Holds the rows of `unseen` that all are measured on: sound windows, and those before each replacement of a bearing."""

    unseen: TrainingSet
    sound: Rows
    failures: tuple[Rows, ...]


def comparable(unseen: TrainingSet, cut: datetime) -> Compared:
    """Returns those windows in which every rule has what it needs. Raises ValueError if there are too few."""
    usable = np.isfinite(unseen.rise) & np.isfinite(unseen.rms)
    sound = unseen.sound_from(cut)
    sound = sound[usable[sound]]
    failures = tuple(
        rows for rows in (each[usable[each]] for each in unseen.failures) if (unseen.hours_to_replacement[rows] <= LAST_HOURS).any()
    )
    if len(sound) * FALSE_ALARMS < 1 or not failures:
        told = f"{len(sound)} sound windows and {len(failures)} replaced bearings of {len(unseen.machines)} machines held out"
        raise ValueError(f"{told} are too few to compare on: it takes {1 / FALSE_ALARMS:.0f} windows and a bearing")
    return Compared(unseen, sound, failures)


def compare(bundle: Bundle, current: Bundle, compared: Compared) -> VibrationSuccession:
    """Measures both models and the rules."""
    unseen, sound = compared.unseen, compared.sound
    models = {SUCCESSOR: bundle, CURRENT: current}
    scores = {name: said(model, unseen.features) for name, model in models.items()}
    rules = {RMS: unseen.rms, RISE: unseen.rise, KURTOSIS: unseen.features[:, bundle.recipe.inputs.index(_KURTOSIS_INPUT)]}
    metrics = {name: _measure(values, compared) for name, values in (scores | rules).items()}
    for name, model in models.items():
        metrics[name] = replace(metrics[name], false_alarms=float((scores[name][sound] > model.thresholds[0]).mean()))
    return VibrationSuccession(metrics=metrics, windows=len(sound), failures=len(compared.failures), machines=unseen.machines)


def said(bundle: Bundle, features: Floats) -> Floats:
    """Returns the scores that a gateway's runtime gives: shape (rows, inputs) -> (rows,)."""
    return run_bundle(bundle, features)[:, 1]


def _measure(scores: Floats, compared: Compared) -> Metrics:
    alarms = scores > np.quantile(scores[compared.sound], 1 - FALSE_ALARMS)
    hours, before = compared.unseen.hours_to_replacement, np.concatenate(compared.failures)
    last = before[hours[before] <= LAST_HOURS]
    warnings = [_warning(alarms[rows], hours[rows]) for rows in compared.failures]
    return Metrics(
        auc=auc(scores[compared.sound], scores[last]),
        found=float(alarms[last].mean()),
        warned=float(np.mean([warning > 0 for warning in warnings])),
        warning_hours=float(np.median(warnings)),
    )


def _warning(alarms: Floats, hours: Floats) -> float:
    """Returns the hours from the first of IN_A_ROW alarms to the replacement, 0 if there are none."""
    runs = np.convolve(alarms, np.ones(IN_A_ROW, int)) == IN_A_ROW
    firsts = np.flatnonzero(runs[IN_A_ROW - 1 : len(alarms)])
    return float(hours[firsts[0]]) if len(firsts) else 0.0


def _worse(ours: Metrics, other: Metrics) -> list[str]:
    """Names in what we are worse than the other, where both have it."""
    own = other.false_alarms is not None and (ours.false_alarms or 0.0) > max(FALSE_ALARMS, other.false_alarms)
    worse = {
        "what is found in the last week": ours.found < other.found,
        "bearings warned of": ours.warned < other.warned,
        "hours of warning": ours.warning_hours < other.warning_hours,
        "false alarms": own,
    }
    return [name for name, is_worse in worse.items() if is_worse]


def _line(name: str, metrics: Metrics) -> str:
    own = "" if metrics.false_alarms is None else f"   false alarms at its own threshold {metrics.false_alarms:.2%}"
    return (
        f"{name:46} AUC {metrics.auc:.3f}   found {metrics.found:6.1%}   warned of {metrics.warned:6.1%}"
        f"   warning {metrics.warning_hours:4.0f} h{own}"
    )
