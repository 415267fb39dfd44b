"""Keeps what the long form of a promise measured, in a file of its own: build/soak/R4.json. docs/reliability.md is made of these files.

A long form writes its file by `note`, at once or piece by piece (a negative control is often a test of its own).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

FOLDER_VARIABLE = "TINYBEAM_SOAK"
"""Names the folder for figures in the environment of a long form; without it a test runs in its short form."""
SHARE_VARIABLE = "TINYBEAM_SOAK_SHARE"
"""Says which share of the long number is to run: 1, or less where time is short."""
PROGRESS = "progress.txt"


class Figures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Is what a file holds. `asked` and `measured` are words with numbers: `2,500 of 2,500 operations failed once, 0 readings lost`."""

    promise: str
    asked: str = ""
    """What the long form is to run."""
    measured: str = ""
    """What it did run, and what came of it. Never a number that did not run."""
    control: str = ""
    """What the same test sees where the promise is broken on purpose."""
    seconds: float = 0.0
    seed: int = 0
    """What repeats the run."""

    @property
    def whole(self) -> bool:
        return bool(self.asked and self.measured)


def note(folder: Path, promise: str, **fields: Any) -> None:
    """Adds fields to the figures of a promise. Raises msgspec.ValidationError for one that Figures lacks or that is of another type."""
    known = msgspec.to_builtins(read(folder, promise) or Figures(promise=promise))
    figures = msgspec.convert(known | fields, Figures)
    folder.mkdir(parents=True, exist_ok=True)
    file_of(folder, promise).write_bytes(msgspec.json.format(msgspec.json.encode(figures)) + b"\n")


def read(folder: Path, promise: str) -> Figures | None:
    """Returns the figures of a promise; None if there are none. Raises msgspec.ValidationError for a file with other content."""
    file = file_of(folder, promise)
    return msgspec.json.decode(file.read_bytes(), type=Figures) if file.is_file() else None


def file_of(folder: Path, promise: str) -> Path:
    return folder / f"{promise}.json"
