"""Copies a warehouse's one project to projects of other names. Runs in the warehouse's own interpreter, so it imports nothing of ours.

    template_copy.py TEMPLATE NAME DATA PROJECT ...

TEMPLATE and DATA are folders of local-bigquery; NAME is the template's project, by which its statements name what they read. Of its jobs
nothing is copied. TEMPLATE is only read, and DATA is made.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import duckdb

_SERVER = "emulator.duckdb"
"""The file in which the server keeps what is no project's own."""
_JOBS = "jobs"


def copy(template: Path, name: str, data: Path, projects: list[str]) -> None:
    data.mkdir(parents=True)
    for project in projects:
        _copied(template / f"{name}.ducklake", data / f"{project}.ducklake")
        with duckdb.connect(str(data / f"{project}.ducklake")) as catalog:
            for table, column in _texts(catalog):
                catalog.execute(f"update {table} set {column} = replace({column}, ?, ?) where contains({column}, ?)", [name, project, name])
    _copied(template / _SERVER, data / _SERVER)
    with duckdb.connect(str(data / _SERVER)) as server:
        for table in _tables_of_projects(server):
            for project in projects if table != _JOBS else ():
                renamed = "replace(columns(*)::varchar, $name, $project)"
                server.execute(
                    f"insert into {table} select {renamed} from {table} where project_id = $name", {"name": name, "project": project}
                )
            server.execute(f"delete from {table} where project_id = ?", [name])


def _copied(file: Path, to: Path) -> None:
    """Copies a database with what its log holds."""
    for suffix in ("", ".wal"):
        if (beside := file.with_name(file.name + suffix)).exists():
            shutil.copy(beside, to.with_name(to.name + suffix))


def _texts(catalog: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Returns the columns of text of all tables, each with its table."""
    asked = "select table_name, column_name from duckdb_columns() where schema_name = 'main' and not internal and data_type = 'VARCHAR'"
    return catalog.execute(asked).fetchall()


def _tables_of_projects(server: duckdb.DuckDBPyConnection) -> list[str]:
    asked = "select table_name from duckdb_columns() where schema_name = 'main' and column_name = 'project_id'"
    return [table for (table,) in server.execute(asked).fetchall()]


if __name__ == "__main__":
    _template, _name, _data, *_projects = sys.argv[1:]
    copy(Path(_template), _name, Path(_data), _projects)
