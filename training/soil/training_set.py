"""Holds what the warehouse knows of soil probes as a training set: windows of each probe, and how many days later stress began.

A set is split by sites, never by rows: windows of one season follow from each other, so a row beside a known one would be known as well.
The hash of a set is that of its rows, so that a model can be traced to them, and made of them again. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from edge.models.recipe import Recipe
from training.build.dense import Floats
from training.build.snapshot import held_out, rows_sha256
from training.soil.examples import Examples, inputs_of
from training.soil.recipe import CHANNELS, CONSTANTS

EXAMPLES_A_DAY = 4
"""So many windows of a probe and day become examples, evenly: those between are nearly the same."""
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class SoilWindow:
    """Is a row of the query soil_training_set, which says what its columns are. Names and order are the query's."""

    device_id: str
    site_id: str
    season: datetime
    window_start: datetime
    window_seconds: int
    moisture: float
    temperature: float
    field_capacity: float
    available: float
    days: float | None


@dataclass(frozen=True)
class TrainingSet:
    """Holds windows in the order of devices and times: `TrainingSet(windows).split()`."""

    windows: Sequence[SoilWindow]

    @cached_property
    def sha256(self) -> str:
        """Returns the hash of the rows, hexadecimal."""
        return rows_sha256(self.windows)

    @cached_property
    def sites(self) -> tuple[str, ...]:
        return tuple(sorted({window.site_id for window in self.windows}))

    @property
    def seasons(self) -> int:
        """Counts the seasons of its sites."""
        return len({(window.site_id, window.season) for window in self.windows})

    @property
    def constants(self) -> dict[str, dict[str, float]]:
        """Maps each device to what the registry knows of its soil, as its latest window has it."""
        return {window.device_id: {name: getattr(window, name) for name in CONSTANTS} for window in self.windows}

    def split(self) -> tuple[TrainingSet, TrainingSet]:
        """Returns the sites to train on, and those held out."""
        unseen = held_out(self.sites)
        return self._of(unseen.symmetric_difference(self.sites)), self._of(unseen)

    @cached_property
    def days(self) -> Floats:
        """Returns the days until stress of each window, NaN where they are not known: shape (windows,)."""
        return np.array([np.nan if window.days is None else window.days for window in self.windows], float)

    def features(self, recipe: Recipe) -> Floats:
        """Returns what the gateway computes by this recipe, a row for each window, of NaN where it computes nothing: (windows, inputs)."""
        nothing = (np.nan,) * len(recipe.inputs)
        rows = [inputs or nothing for series in self._series() for inputs in inputs_of(recipe, map(_measured, series))]
        return np.array(rows, float).reshape(len(self.windows), len(recipe.inputs))

    def examples(self, features: Floats) -> Examples:
        """Returns the examples among the windows: EXAMPLES_A_DAY of each probe, where features and days are known."""
        known = self._thinned & np.isfinite(features).all(axis=1) & np.isfinite(self.days)
        groups = [number for number, series in enumerate(self._series()) for _ in series]
        return Examples(features[known], self.days[known], np.array(groups, np.int64)[known])

    @cached_property
    def _thinned(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        parts = [(window.device_id, window.window_start.timestamp() // (_DAY_SECONDS / EXAMPLES_A_DAY)) for window in self.windows]
        return np.array([number == 0 or part != parts[number - 1] for number, part in enumerate(parts)], bool)

    def _series(self) -> Iterator[list[SoilWindow]]:
        for _, windows in groupby(self.windows, key=lambda window: (window.device_id, window.site_id, window.season)):
            yield list(windows)

    def _of(self, sites: frozenset[str]) -> TrainingSet:
        return TrainingSet([window for window in self.windows if window.site_id in sites])


def of_rows(rows: Iterable[Mapping[str, Any]]) -> TrainingSet:
    """Reads rows of the query."""
    return TrainingSet([SoilWindow(**row) for row in rows])


def _measured(window: SoilWindow) -> tuple[datetime, int, dict[str, float]]:
    return window.window_start, window.window_seconds, {name: getattr(window, name) for name in (*CHANNELS, *CONSTANTS)}
