"""Runs every test with an attack at its long numbers, and writes what came of them to summary.json."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from lab import suite
from lab.attack import rows
from lab.attack.rows import Row
from lab.console import Console
from lab.folder import emptied

SUMMARY = "summary.json"
ROWS = "rows"
_LOG = "attack.log"

Tests = Callable[[Path, Path], bool]
"""Runs the tests: the folder for their rows, the file for what they print. Returns whether they passed."""


def run(directory: Path, console: Console, tests: Tests) -> bool:
    """Runs the tests. Returns whether all passed and no attempt was accepted. Raises StartFailed for a folder that is not the lab's."""
    folder, log = emptied(directory) / ROWS, directory / _LOG
    folder.mkdir()
    passed = tests(folder, log)
    found = rows.summary(rows.read(folder))
    (directory / SUMMARY).write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    console.show("\n".join(map(_line, found.attacks)))
    said = "" if passed else f"; tests fail, see {log}"
    console.log(f"{len(found.attacks)} attacks, {found.attempts:,} attempts, {found.accepted:,} accepted{said}: {directory / SUMMARY}")
    return passed and not found.accepted and bool(found.attacks)


class AttackTests:
    """Runs the marked tests of these files or folders of tests; of all where none is named."""

    def __init__(self, console: Console, places: Sequence[str] = ()) -> None:
        self._console, self._places = console, places

    def __call__(self, folder: Path, log: Path) -> bool:
        words = ["-m", rows.MARK, *self._places]
        return suite.passes(words, {rows.FOLDER_VARIABLE: str(folder)}, log, self._console, lambda: _progress(folder))


def _progress(folder: Path) -> str:
    return f"{len(list(folder.iterdir()))} attacks tried"


def _line(row: Row) -> str:
    return f"{'ACCEPTED' if row.accepted else 'repelled'}  {row.name}: {row.attempts:,} attempts, {row.accepted:,} accepted; {row.outcome}"
