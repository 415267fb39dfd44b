"""How well a score tells failing machines from healthy ones: AUC, what is found at a threshold, false alarms, and how early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.vibration.bearing import FAULTS, Floats
from training.vibration.run_to_failure import Heard

STAGES = ((0.05, 0.1), (0.1, 0.2), (0.2, 0.4), (0.4, 0.7), (0.7, 1.01))
"""Severity from and below."""
FROM = 0.1
"""A window counts as faulty in AUC and rates from this severity."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Shares, at one threshold. `noisy` of the healthy machines give more false alarms than were asked for, `noisiest` is the largest share
    of one of them; `warned` of the failing machines were called before their end, half of all of them at least `warning_hours` before.
    `found_alike` is what would be found at the threshold that gives just the asked share of false alarms here.
    """

    threshold: float
    auc: float
    false_alarms: float
    noisy: float
    noisiest: float
    found: float
    found_alike: float
    by_stage: tuple[float, ...]
    by_fault: tuple[float, ...]
    warned: float
    warning_hours: float


def detect(healthy: Heard, failing: Heard, scores: tuple[Floats, Floats], threshold: float, asked: float) -> Detection:
    """`scores` are those of the rows of `healthy` and of `failing`, whose plans take the kinds of faults in turn; `asked` is the share of
    false alarms that the threshold was set for.
    """
    calm, said = scores
    faulty, fault = failing.severity >= FROM, failing.machine % len(FAULTS)
    before = np.concatenate([calm, said[failing.severity == 0]])
    alarm = said > threshold
    each = [float((calm[healthy.machine == number] > threshold).mean()) for number in np.unique(healthy.machine)]
    hours = [_warning(failing, alarm, number) for number in np.unique(failing.machine)]
    return Detection(
        threshold=threshold,
        auc=auc(before, said[faulty]),
        false_alarms=float((before > threshold).mean()),
        noisy=float(np.mean([share > asked for share in each])),
        noisiest=max(each),
        found=float(alarm[faulty].mean()),
        found_alike=float((said[faulty] > np.quantile(before, 1 - asked)).mean()),
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
