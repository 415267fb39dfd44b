"""Keeps what came of each attack as a row, in a file of its own: build/attack/rows/NAME.json. docs/security.md is made of these files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

FOLDER_VARIABLE = "TINYBEAM_ATTACK"
"""Names the folder for rows in the environment of `make attack`; without it a test runs in its short form, and writes none."""
MARK = "attack"
"""Is what pytest knows the tests with attacks by."""

Text = Annotated[str, msgspec.Meta(min_length=1)]


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Says who tried what, how often, and what came of it."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    attacker: Text
    """Is one of lab.attack.attackers."""
    attempt: Text
    outcome: Text
    test: Text
    """Names the test as pytest does, without parameters."""
    attempts: Annotated[int, msgspec.Meta(ge=1)]
    accepted: Annotated[int, msgspec.Meta(ge=0)]
    """Counts the attempts that came through: none, or the attack succeeds."""
    control: Text
    """Says what the same attempts do where what stops them is taken away."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Is what summary.json holds."""

    attempts: int
    accepted: int
    attacks: list[Row]


def note(folder: Path, row: Row) -> None:
    """Writes a row. A test that runs several times, for its parameters, adds its numbers to the row of that name."""
    file = file_of(folder, row.name)
    if file.is_file():
        before = _read(file)
        row = msgspec.structs.replace(row, attempts=before.attempts + row.attempts, accepted=before.accepted + row.accepted)
    folder.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.format(msgspec.json.encode(row)) + b"\n")


def read(folder: Path) -> list[Row]:
    """Returns the rows of a folder by name. Raises msgspec.ValidationError for a file with other content."""
    return [_read(file) for file in sorted(folder.glob("*.json"))]


def summary(rows: Iterable[Row]) -> Summary:
    attacks = list(rows)
    return Summary(attempts=sum(row.attempts for row in attacks), accepted=sum(row.accepted for row in attacks), attacks=attacks)


def file_of(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def _read(file: Path) -> Row:
    return msgspec.json.decode(file.read_bytes(), type=Row)
