"""Runs the long forms one after the other, and goes on where an earlier run ended.

A figure counts once its tests have passed: until then it lies in the folder `running`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.console import Console
from lab.soak import figures
from lab.soak.promises import PROMISES

_RUNNING = "running"

Tests = Callable[[str, Path, Path], bool]
"""Runs the tests of a promise: its name, the folder for its figures, the file for what they print. Returns whether they passed."""


def run(directory: Path, names: Sequence[str], console: Console, tests: Tests, *, again: bool = False) -> bool:
    """Runs the long forms of these promises that are not done; `again` runs those as well. Returns whether all hold."""
    broken = []
    for number, name in enumerate(names, 1):
        console.title(f"{name}, {number} of {len(names)}: {PROMISES[name].says}")
        if not again and (done := figures.read(directory, name)):
            console.log(f"done before: {done.measured}")
        elif not _holds(directory, name, console, tests):
            broken.append(name)
    console.log(f"NOT all hold: {', '.join(broken)}" if broken else f"all hold: figures in {directory}")
    return not broken


def _holds(directory: Path, name: str, console: Console, tests: Tests) -> bool:
    """Runs one long form. Returns whether its tests passed and its figures are there."""
    running, log = directory / _RUNNING, directory / f"{name}.log"
    running.mkdir(parents=True, exist_ok=True)
    for left in (figures.file_of(running, name), running / figures.PROGRESS):
        left.unlink(missing_ok=True)
    began = time.monotonic()
    passed = tests(name, running, log)
    found = figures.read(running, name)
    if not passed or not found or not found.whole:
        console.log(f"BROKEN  {name}: {'no figures came of it' if passed else 'its tests fail'}, see {log}")
        return False
    figures.note(running, name, seconds=round(time.monotonic() - began, 1))
    figures.file_of(running, name).replace(figures.file_of(directory, name))
    console.log(f"holds   {name}: {found.measured}")
    return True
