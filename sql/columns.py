"""Reads sql/columns.toml: what the columns of views and queries mean, with their types and units.

The service's descriptions and the pages of the reference are made of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from schemas.arrow import table_columns
from schemas.records import TABLES
from schemas.warehouse import sql_type
from sql.scripts import ROOT, Script, script, scripts

COLUMNS = ROOT / "columns.toml"


@dataclass(frozen=True, slots=True)
class Shown:
    """Is a column of a view or query."""

    name: str
    type: str
    unit: str
    meaning: str

    @property
    def description(self) -> str:
        """Returns what a table's column of this meaning and unit is described as."""
        return f"{self.meaning} [{self.unit}]" if self.unit else self.meaning


@cache
def columns() -> Mapping[str, Mapping[str, tuple[Shown, ...]]]:
    """Returns the columns by folder and name of their file, in their order. Raises KeyError for a name without a file."""
    declared = _declared()
    files = {folder: {script.name: _selecting(script) for script in scripts(folder)} for folder in declared}
    return {
        folder: {name: shown_columns(files[folder][name], listed) for name, listed in objects.items()}
        for folder, objects in declared.items()
    }


@cache
def _declared() -> dict[str, dict[str, dict[str, Any]]]:
    return tomllib.loads(Path(COLUMNS).read_text())


def of_any_time(view: Script) -> Script | None:
    """Returns the function that shows of any time what the view shows of the last days, if there is one."""
    return _functions().get(f"{view.name}_between")


@cache
def _functions() -> Mapping[str, Script]:
    return {function.name: function for function in scripts("functions")}


def _selecting(script: Script) -> Script:
    """Returns the script that lists the columns: for a view over a function of its own, the function."""
    return (of_any_time(script) if script.folder == "views" else None) or script


def shown_columns(script: Script, declared: Mapping[str, Any]) -> tuple[Shown, ...]:
    """Returns what is said of the columns: by the tables of `from`, for those that the SQL selects, else by `declared` alone.

    Raises KeyError for a column of which nothing is said, and for one that is declared and not selected.
    """
    if "from" not in declared:
        return tuple(_shown(column, where) for column, where in declared.items())
    tables = {name: column for table in reversed(declared["from"]) for name, column in _of_table(table).items()}
    names = [name for selected in script.selected for name in (_of_table(declared["from"][0]) if selected == "*" else (selected,))]
    if unselected := sorted(declared.keys() - {"from"} - set(names)):
        raise KeyError(f"{script.path} selects no {unselected[0]}, which sql/columns.toml declares")
    return tuple(_shown(name, declared[name]) if name in declared else tables[name] for name in names)


def _shown(name: str, where: str | list[str]) -> Shown:
    """Returns a column; `where` is the table that has it, or its type, unit and meaning."""
    return Shown(name, *where) if isinstance(where, list) else _of_table(where)[name]


@cache
def _of_table(table: str) -> Mapping[str, Shown]:
    """Returns the columns of a table, or of a view, by their names."""
    record = next((record for record, described in TABLES.items() if described.name == table), None)
    if record is None:
        return {column.name: column for column in shown_columns(_selecting(script("views", table)), _declared()["views"][table])}
    return {column.name: Shown(column.name, sql_type(column), column.doc.unit, column.doc.text) for column in table_columns(record)}
