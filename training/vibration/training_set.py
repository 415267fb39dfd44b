"""Holds what the warehouse knows of machines as a training set: what a model looked at in each window, and whether the bearing was sound.

A set is split by machines and by time, never by rows: a machine sounds like itself, and a week like the next. Nothing is learned of the
machines held out, and of the others nothing after the cut; what is measured on the machines held out is sound after the cut, and damaged
whenever it was, for no model learns from damage. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from training.build.dense import Floats
from training.build.snapshot import held_out, rows_sha256

Rows = np.ndarray[Any, np.dtype[np.int64]]
SOUND, DAMAGED = "sound", "damaged"
_LEARNED_SHARE = 2 / 3
"""Of the time in which windows are known to be sound, so much is learned from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineWindow:
    """Is a row of the query vibration_training_set, which says what its columns are. Names and order are the query's."""

    device_id: str
    site_id: str | None
    window_start: datetime
    window_seconds: int
    features: Sequence[float]
    rms: float | None
    outcome: str | None
    hours_to_replacement: float | None


@dataclass(frozen=True)
class TrainingSet:
    """Holds windows in the order of devices and times: `TrainingSet(windows).split()`. All arrays have a row for each window."""

    windows: Sequence[MachineWindow]

    @cached_property
    def sha256(self) -> str:
        """Returns the hash of the rows, hexadecimal."""
        return rows_sha256(self.windows)

    @cached_property
    def machines(self) -> tuple[str, ...]:
        return tuple(sorted({window.device_id for window in self.windows}))

    @cached_property
    def sites(self) -> tuple[str, ...]:
        return tuple(sorted({window.site_id for window in self.windows if window.site_id}))

    def split(self) -> tuple[TrainingSet, TrainingSet]:
        """Returns the machines to learn from, and those held out."""
        unseen = held_out(self.machines)
        return self._where(lambda window: window.device_id not in unseen), self._where(lambda window: window.device_id in unseen)

    def before(self, cut: datetime) -> TrainingSet:
        """Returns what was before the cut."""
        return self._where(lambda window: window.window_start < cut)

    def sound_from(self, cut: datetime) -> Rows:
        """Returns the rows of windows from the cut on of which it is known that the bearing was sound."""
        return np.flatnonzero(self.sound & np.array([window.window_start >= cut for window in self.windows], bool))

    @cached_property
    def cut(self) -> datetime:
        """Says until when there is something to learn. Raises ValueError if no window is known to be sound."""
        starts = [window.window_start for window in self.windows if window.outcome == SOUND]
        if not starts:
            raise ValueError(f"of none of the {len(self.windows)} windows it is known that the bearing was sound")
        return min(starts) + _LEARNED_SHARE * (max(starts) - min(starts))

    @cached_property
    def features(self) -> Floats:
        """Returns the model's inputs before normalisation, shape (windows, inputs)."""
        return np.array([window.features for window in self.windows], float)

    @cached_property
    def sound(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Says of which windows it is known that the bearing was sound."""
        return np.array([window.outcome == SOUND for window in self.windows], bool)

    @cached_property
    def hours_to_replacement(self) -> Floats:
        """Returns how long before its replacement each damaged bearing was, NaN for all else."""
        return np.array([window.hours_to_replacement if window.outcome == DAMAGED else None for window in self.windows], float)

    @cached_property
    def rms(self) -> Floats:
        """Returns the RMS in m/s2, NaN where it is not known."""
        return np.array([window.rms for window in self.windows], float)

    @cached_property
    def rise(self) -> Floats:
        """Returns the RMS over the mean of all that the machine showed before, NaN for its first window."""
        return np.array([rise for machine in self._machines() for rise in _rises(machine)], float)

    @cached_property
    def failures(self) -> tuple[Rows, ...]:
        """Returns the rows of the windows before each replacement of a bearing, in the order of machines and times."""
        rows = np.flatnonzero(np.isfinite(self.hours_to_replacement))
        machines = np.array([self.windows[row].device_id for row in rows])
        remaining = self.hours_to_replacement[rows]
        # Before one replacement the hours fall, from window to window.
        begins = np.flatnonzero((machines[1:] != machines[:-1]) | (remaining[1:] >= remaining[:-1])) + 1
        return tuple(np.split(rows, begins)) if len(rows) else ()

    def _machines(self) -> Iterator[list[MachineWindow]]:
        for _, windows in groupby(self.windows, key=lambda window: window.device_id):
            yield list(windows)

    def _where(self, belongs: Callable[[MachineWindow], bool]) -> TrainingSet:
        return TrainingSet([window for window in self.windows if belongs(window)])


def of_rows(rows: Iterable[Mapping[str, Any]]) -> TrainingSet:
    """Reads rows of the query."""
    return TrainingSet([MachineWindow(**row) for row in rows])


def _rises(windows: Sequence[MachineWindow]) -> Iterator[float]:
    total, count = 0.0, 0
    for window in windows:
        level = np.nan if window.rms is None else window.rms
        yield level / (total / count) if count else np.nan
        if window.rms is not None:
            total, count = total + window.rms, count + 1
