"""How well a score tells failing machines from healthy ones: AUC, what is found at a threshold, false alarms, and how early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.bearing import FAULTS, Floats
from training.lives import Heard

STAGES = ((0.05, 0.1), (0.1, 0.2), (0.2, 0.4), (0.4, 0.7), (0.7, 1.01))
"""Severity from and below."""
FROM = 0.1
"""A window counts as faulty in AUC and rates from this severity."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Shares, at one threshold. `noisiest` is the largest share of false alarms of one healthy machine; `warned` of the failing machines
    were called before their end, half of all of them at least `warning_hours` before.
    """

    threshold: float
    auc: float
    false_alarms: float
    noisiest: float
    found: float
    by_stage: tuple[float, ...]
    by_fault: tuple[float, ...]
    warned: float
    warning_hours: float


def detect(healthy: Heard, failing: Heard, scores: tuple[Floats, Floats], threshold: float) -> Detection:
    """`scores` are those of the rows of `healthy` and of `failing`, whose plans take the kinds of faults in turn."""
    calm, said = scores
    faulty, fault = failing.severity >= FROM, failing.machine % len(FAULTS)
    before = np.concatenate([calm, said[failing.severity == 0]])
    alarm = said > threshold
    hours = [_warning(failing, alarm, number) for number in np.unique(failing.machine)]
    return Detection(
        threshold=threshold,
        auc=auc(before, said[faulty]),
        false_alarms=float((before > threshold).mean()),
        noisiest=max(float((calm[healthy.machine == number] > threshold).mean()) for number in np.unique(healthy.machine)),
        found=float(alarm[faulty].mean()),
        by_stage=tuple(_share(alarm[(failing.severity >= low) & (failing.severity < high)]) for low, high in STAGES),
        by_fault=tuple(_share(alarm[faulty & (fault == number)]) for number in range(len(FAULTS))),
        warned=float(np.mean([told > 0 for told in hours])),
        warning_hours=float(np.median(hours)),
    )


def auc(healthy: Floats, faulty: Floats) -> float:
    """The chance that a faulty window scores higher than a healthy one, ties counting half (Mann and Whitney)."""
    _, inverse, counts = np.unique(np.concatenate([healthy, faulty]), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    least = (len(faulty) + 1) / 2
    return float((ranks[len(healthy) :].mean() - least) / len(healthy))


def _warning(failing: Heard, alarm: Any, number: int) -> float:
    """Hours from the first alarm after the fault began to the last window of that machine's life; 0 without one."""
    rows = (failing.machine == number) & (failing.severity > 0)
    told = failing.hours[rows & alarm]
    return float(failing.hours[rows].max() - told[0]) if len(told) else 0.0


def _share(hits: Any) -> float:
    return float(hits.mean()) if len(hits) else float("nan")
