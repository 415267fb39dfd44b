"""Whoever reads the table of inferences leaves out what a model said in the shadow of another, or says that it asks for that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SQL = Path(__file__).parents[2] / "sql"
OF_ALL_ROWS = {
    "tables/batches_v1.sql": "it speaks of the table",
    "tables/inferences_v1.sql": "it is the table",
    "checks/batches_have_rows.sql": "it counts the rows of batches",
    "checks/facts_are_not_repeated.sql": "it counts rows by the name of their batch",
    "checks/devices_are_registered.sql": "a device is known or not, whoever judged it",
}
"""What reads rows of any model, and why it may."""


def readers() -> list[str]:
    return sorted(str(file.relative_to(SQL)) for file in SQL.rglob("*.sql") if re.search(r"\binferences_v1\b", _code(file)))


def _code(file: Path) -> str:
    return re.sub(r"--.*", "", file.read_text())


@pytest.mark.parametrize("reader", readers())
def test_a_shadow_is_nobodys_verdict(reader: str) -> None:
    assert reader in OF_ALL_ROWS or "coalesce(shadow, false)" in _code(SQL / reader)


def test_only_what_is_there_is_excused() -> None:
    assert all((SQL / file).is_file() for file in OF_ALL_ROWS)
