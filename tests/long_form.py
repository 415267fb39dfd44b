"""Lets a test of a promise run at its long number, which `make soak` asks for; in the suite it runs its short form."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lab.soak import figures
from lab.soak.promises import PROMISES

_FOLDER = os.environ.get(figures.FOLDER_VARIABLE)


def is_long() -> bool:
    return bool(_FOLDER)


def number(short: int, long: int) -> int:
    """How many to run: the short number in the suite, the long one or its share in a long form."""
    return max(short, round(long * float(os.environ.get(figures.SHARE_VARIABLE, "1")))) if _FOLDER else short


def progress(done: int, of: int) -> None:
    """Says how far a long form is."""
    if _FOLDER:
        (Path(_FOLDER) / figures.PROGRESS).write_text(f"{done:,} of {of:,}")


def note(promise: str, **fields: Any) -> None:
    """Writes what a long form measured; in the suite nothing. `asked` is what lab/soak/promises.py says."""
    if _FOLDER:
        figures.note(Path(_FOLDER), promise, **({"asked": PROMISES[promise].asked} | fields))


def note_more(promise: str, measured: str) -> None:
    """Adds what a further test of a promise has measured."""
    if _FOLDER:
        before = figures.read(Path(_FOLDER), promise)
        note(promise, measured="; ".join(filter(None, [before.measured if before else "", measured])))
