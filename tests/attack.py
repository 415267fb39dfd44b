"""Lets a test say what it attacked: a row of the table of attacks. `make attack` runs these tests at their long numbers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lab.attack import rows
from lab.attack.attackers import ATTACKERS
from lab.attack.rows import Row

_FOLDER = os.environ.get(rows.FOLDER_VARIABLE)


def number(short: int, long: int) -> int:
    """How many attempts to make: the short number in the suite, the long one in `make attack`."""
    return long if _FOLDER else short


class Attack:
    """Takes the rows of one test: `attack("name", attacker=..., attempt=..., outcome=..., attempts=7, accepted=0, control=...)`.

    An attempt that was accepted fails the test, once its row is written.
    """

    def __init__(self, test: str) -> None:
        self._test, self.rows = test.partition("[")[0], 0

    def __call__(self, name: str, *, attacker: str, **fields: Any) -> None:
        assert attacker in ATTACKERS, f"{attacker} is not in lab/attack/attackers.py"
        row = msgspec.convert({"name": name, "attacker": attacker, "test": self._test, **fields}, Row)
        if _FOLDER:
            rows.note(Path(_FOLDER), row)
        self.rows += 1
        assert not row.accepted, f"{name}: {row.accepted} of {row.attempts} attempts were accepted"


def mark(items: list[pytest.Item]) -> None:
    """Marks the tests that take the fixture, so that `pytest -m attack` runs them."""
    for item in items:
        if rows.MARK in getattr(item, "fixturenames", ()):
            item.add_marker(rows.MARK)
