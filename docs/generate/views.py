"""docs/views.md: what each view and query answers, its parameters, and its columns with types and units."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from schemas.arrow import table_columns
from schemas.records import TABLES
from schemas.warehouse import sql_type
from sql.scripts import ROOT, Script, scripts

COLUMNS = ROOT / "columns.toml"
_INTRODUCTION = """\
<!-- Generated from sql/ by `python -m docs.generate`. Do not edit. -->
# Views and queries

Views are the interface to the warehouse: they have no version and show each fact once. A view shows the last 90 days, and
`NAME_between(from_time, to_time)` the same of any time:
`select * from tinybeam.summaries_between(timestamp '2026-05-01', timestamp '2026-05-03')`
reads those two days. `tinybeam sql query` lists the queries, and with a name it asks one; with `--dry_run` it says how many bytes that
would read and what they cost, and `--maximum_bytes_billed` bounds it. What the tables hold is in [tables](tables/README.md).
All times are UTC. "Channel unit" is the row's own `unit`; "as the score" is the unit that the model's bundle declares.
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """Is a column of a view or query."""

    name: str
    type: str
    unit: str
    meaning: str


def page() -> str:
    """Markdown. Raises KeyError for a view or query that sql/columns.toml does not know."""
    shown = columns()
    sections = [
        f"\n## {title}\n" + "".join(_section(script, shown[folder][script.name]) for script in scripts(folder))
        for folder, title in (("views", "Views"), ("queries", "Queries"))
    ]
    return _INTRODUCTION + "".join(sections)


@cache
def columns() -> Mapping[str, Mapping[str, tuple[Shown, ...]]]:
    """Returns the columns by folder and name of their file, in their order. Raises KeyError for a name without a file."""
    declared = tomllib.loads(Path(COLUMNS).read_text())
    files = {folder: {script.name: _selecting(script) for script in scripts(folder)} for folder in declared}
    return {
        folder: {name: shown_columns(files[folder][name], listed) for name, listed in objects.items()}
        for folder, objects in declared.items()
    }


def _selecting(script: Script) -> Script:
    """Returns the script that lists the columns: for a view over a function of its own, the function."""
    of_any_time = {function.name: function for function in scripts("functions")}.get(f"{script.name}_between")
    return of_any_time if of_any_time and script.folder == "views" else script


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
    """Returns the columns of a table by their names."""
    record = next(record for record, described in TABLES.items() if described.name == table)
    return {column.name: Shown(column.name, sql_type(column), column.doc.unit, column.doc.text) for column in table_columns(record)}


def _section(script: Script, shown: tuple[Shown, ...]) -> str:
    prose = "\n".join(_prose(script))
    return f"\n### {script.name}\n\n{prose}\n{_parameters(script)}{_table(shown)}"


def _prose(script: Script) -> Iterator[str]:
    """The header without its parameters; the question stands out."""
    question, *rest = [line for line in script.header if not line.startswith("@")]
    yield f"**{question}**"
    yield from "\n".join(rest).rstrip().splitlines()


def _parameters(script: Script) -> str:
    rows = "".join(f"| `{one.name}` | {one.type} | `{one.default}` | {one.meaning} |\n" for one in script.parameters)
    return f"\n| parameter | type | default | meaning |\n|---|---|---|---|\n{rows}" if rows else ""


def _table(shown: tuple[Shown, ...]) -> str:
    rows = "".join(f"| `{one.name}` | {one.type} | {one.unit} | {one.meaning} |\n" for one in shown)
    return f"\n| column | type | unit | meaning |\n|---|---|---|---|\n{rows}"
