"""Measures how good predictions are: error in days, verdicts, and whether the interval is as wide as it promises. Tunes rules to beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.build.dense import Floats

HORIZON_DAYS = 14
"""Days are counted so far."""
LIMITS = (0.0, float(HORIZON_DAYS))
DECISIVE_DAYS = 5.0
THRESHOLDS = (2.0, 5.0)
LABELS = ("now", "soon", "fine")
_TUNED_ON = 10_000


@dataclass(frozen=True, slots=True)
class Interval:
    """Says where truth lay, in shares; and the mean width in days."""

    inside: float
    below: float
    above: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Errors are mean absolute errors in days; the rest are shares. A rule that gives no interval has none."""

    error: float
    decisive_error: float
    accuracy: float
    recall_now: float | None
    """It is None if nothing was `now`."""
    precision_now: float | None
    """It is None if nothing was predicted to be `now`."""
    interval: Interval | None


def measure(predicted: Floats, days: Floats, limits: tuple[float, float]) -> Metrics:
    """Measures `predicted` (rows, 3), or (rows, 1) for a rule without an interval, against `days` (rows,) of truth."""
    values = np.sort(np.clip(predicted, *limits), axis=1)
    median, low, high = values[:, values.shape[1] // 2], values[:, 0], values[:, -1]
    errors, predictions, true = np.abs(median - days), verdicts(median), verdicts(days)
    return Metrics(
        error=float(errors.mean()),
        decisive_error=float(errors[days < DECISIVE_DAYS].mean()),
        accuracy=float((predictions == true).mean()),
        recall_now=_share(predictions[true == 0] == 0),
        precision_now=_share(true[predictions == 0] == 0),
        interval=_interval(low, high, days) if values.shape[1] > 1 else None,
    )


def _interval(low: Floats, high: Floats, days: Floats) -> Interval:
    below, above = days < low - 0.1, days > high + 0.1
    return Interval(
        inside=float(1 - (below | above).mean()), below=float(below.mean()), above=float(above.mean()), width=float((high - low).mean())
    )


def verdicts(days: Floats) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Maps days to 0 for now, 1 for soon, 2 for fine."""
    return np.searchsorted(THRESHOLDS, days, side="right")


def worse(ours: Metrics, other: Metrics) -> list[str]:
    """Names in what we are not better than the other: error, error in the decisive range, right verdicts."""
    better = {
        "error": ours.error < other.error,
        "error in the decisive range": ours.decisive_error < other.decisive_error,
        "right verdicts": ours.accuracy > other.accuracy,
    }
    return [name for name, is_better in better.items() if not is_better]


def shortcomings(metrics: Mapping[str, Metrics], name: str) -> dict[str, list[str]]:
    """Maps each of the others to the metrics in which the named one is not better; empty if it beats every other in every one."""
    others = {other: worse(metrics[name], theirs) for other, theirs in metrics.items() if other != name}
    return {other: found for other, found in others.items() if found}


def line(name: str, metrics: Metrics) -> str:
    """Says in a line how good something is."""
    errors = f"error {metrics.error:5.2f} d   below 5 d {metrics.decisive_error:5.2f} d"
    interval = f"   inside the interval {metrics.interval.inside:6.1%}" if metrics.interval else ""
    return f"{name.strip('*'):61} {errors}   right verdict {metrics.accuracy:6.1%}{interval}"


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """Says now below one moisture, soon below another, else fine; and for each the median of days, as the rule's best guess."""

    column: int
    cuts: tuple[float, float]
    guesses: tuple[float, float, float]

    @staticmethod
    def tuned(features: Floats, days: Floats, column: int) -> ThresholdRule:
        """Chooses cuts among the 2 % quantiles of the column, by the smallest mean absolute error on every so many-th example."""
        values = features[:, column]
        every = max(1, len(values) // _TUNED_ON)
        sample, sample_days = values[::every], days[::every]
        grid = np.unique(np.quantile(sample, np.linspace(0, 1, 51)))
        pairs = [(float(low), float(high)) for low in grid for high in grid if low <= high]
        cuts = min(pairs, key=lambda pair: _cost(sample, sample_days, *pair))
        return ThresholdRule(column, cuts, _guesses(values, days, *cuts))

    def predict(self, features: Floats) -> Floats:
        """Maps shape (rows, inputs) to (rows, 1)."""
        return np.array(self.guesses)[np.searchsorted(self.cuts, features[:, self.column], side="right")][:, None]


def _guesses(values: Floats, days: Floats, low: float, high: float) -> tuple[float, float, float]:
    parts = np.searchsorted([low, high], values, side="right")
    first, second, third = (float(np.median(days[parts == part])) if (parts == part).any() else 0.0 for part in range(3))
    return first, second, third


def _cost(values: Floats, days: Floats, low: float, high: float) -> float:
    guesses = np.array(_guesses(values, days, low, high))
    return float(np.abs(guesses[np.searchsorted([low, high], values, side="right")] - days).mean())


def _share(hits: Any) -> float | None:
    return float(hits.mean()) if len(hits) else None
