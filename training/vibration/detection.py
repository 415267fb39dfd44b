"""Measures how well a score tells failing machines from healthy ones: AUC, recall at a threshold, false alarms, and how early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.vibration.bearing import FAULTS, Floats
from training.vibration.run_to_failure import Observations

Stage = tuple[float, float]
STAGES: tuple[Stage, ...] = ((0.05, 0.1), (0.1, 0.2), (0.2, 0.4), (0.4, 0.7), (0.7, 1.01))
"""A stage has severities from the first number to below the second."""
FAULTY_FROM = 0.1
"""From this severity a window counts as faulty in AUC and rates."""


def stage_name(stage: Stage) -> str:
    """Names a stage, such as `0.1 to 0.2`."""
    return f"{stage[0]:g} to {min(stage[1], 1):g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Holds shares, at one threshold. `noisy` of the healthy machines give more false alarms than were asked for, `noisiest` is the largest
    share of one of them; `warned` of the failing machines were called before their end, half of all of them at least `warning_hours`
    before. `recall_at_equal_alarms` is the recall at the threshold that gives just the asked share of false alarms here.
    """

    auc: float
    false_alarms: float
    noisy: float
    noisiest: float
    recall: float
    recall_at_equal_alarms: float
    recall_by_stage: tuple[float, ...]
    recall_by_fault: tuple[float, ...]
    warned: float
    warning_hours: float


def detect(healthy: Observations, failing: Observations, scores: tuple[Floats, Floats], threshold: float, asked: float) -> Detection:
    """Measures detection at a threshold that was set for the share `asked` of false alarms. `scores` are those of the rows of `healthy`
    and of `failing`, whose plans take the kinds of faults in turn.
    """
    healthy_scores, failing_scores = scores
    faulty, fault = failing.severity >= FAULTY_FROM, failing.machine % len(FAULTS)
    before_faults = np.concatenate([healthy_scores, failing_scores[failing.severity == 0]])
    alarm = failing_scores > threshold
    by_machine = [float((healthy_scores[healthy.machine == number] > threshold).mean()) for number in np.unique(healthy.machine)]
    hours = [_warning(failing, alarm, number) for number in np.unique(failing.machine)]
    return Detection(
        auc=auc(before_faults, failing_scores[faulty]),
        false_alarms=float((before_faults > threshold).mean()),
        noisy=float(np.mean([share > asked for share in by_machine])),
        noisiest=max(by_machine),
        recall=float(alarm[faulty].mean()),
        recall_at_equal_alarms=float((failing_scores[faulty] > np.quantile(before_faults, 1 - asked)).mean()),
        recall_by_stage=tuple(_share(alarm[(failing.severity >= low) & (failing.severity < high)]) for low, high in STAGES),
        recall_by_fault=tuple(_share(alarm[faulty & (fault == number)]) for number in range(len(FAULTS))),
        warned=float(np.mean([warning > 0 for warning in hours])),
        warning_hours=float(np.median(hours)),
    )


def auc(healthy: Floats, faulty: Floats) -> float:
    """Returns the chance that a faulty window scores higher than a healthy one, ties counting half (Mann and Whitney)."""
    _, inverse, counts = np.unique(np.concatenate([healthy, faulty]), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    least = (len(faulty) + 1) / 2
    return float((ranks[len(healthy) :].mean() - least) / len(healthy))


def _warning(failing: Observations, alarm: Any, number: int) -> float:
    """Counts the hours from the first alarm after the fault began to the last window of that machine's life; 0 without one."""
    rows = (failing.machine == number) & (failing.severity > 0)
    alarms = failing.hours[rows & alarm]
    return float(failing.hours[rows].max() - alarms[0]) if len(alarms) else 0.0


def _share(hits: Any) -> float:
    return float(hits.mean()) if len(hits) else float("nan")
