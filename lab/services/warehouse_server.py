"""Starts local-bigquery with what pip installed and no download. Runs in the warehouse's own interpreter, so it imports nothing of ours.

DuckDB would fetch its extensions from the network at first use; here they come from their pip packages, into this environment.
And its lists of everything (`duckdb_tables()` and their like) ask each table of each project, and each result of a query, for its size:
30 ms a project, several times a statement. What is asked of one project or one result is answered from its own catalog instead, which
takes 1 ms. Before each statement it asks for temporary tables too: a connection that made none has none. A column's description, which is
a text already, is not asked of DuckDB at all. And with each statement DuckDB looks for pandas, which is not installed: it is told so.
What `with` names is planned once: put in place where it is used, as DuckDB does by itself, the functions of states and counters take six
seconds to plan, and no query less than otherwise.
A catalog names the folder of its files, where it was made: it is told where they are now, so that a warehouse can be moved.
A statement with parameters would run twice: DuckDB answers the question for its columns by running it. So their values stand in the text.
Arrow rows that are appended go to DuckDB as they are (warehouse_arrow.py).
That 0 bytes were read, as it says of every query, nobody counted: they are (warehouse_bytes.py).
"""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

_EXTENSIONS = Path(sys.prefix) / "duckdb-extensions"
_connect = duckdb.connect

# By list of DuckDB: the same columns of the same names, of one project's catalog as it is now.
_LISTS = {
    "duckdb_tables()": """
        select '{project}' as database_name, schema_name, table_name, coalesce(record_count, 0)::bigint as estimated_size
        from {catalog}.ducklake_table join {schemas} using (schema_id) left join {catalog}.ducklake_table_stats using (table_id)
        where end_snapshot is null""",
    "duckdb_views()": """
        select '{project}' as database_name, schema_name, view_name, false as internal
        from {catalog}.ducklake_view join {schemas} using (schema_id)
        where end_snapshot is null""",
    "duckdb_columns()": """
        select '{project}' as database_name, schema_name, table_name, column_name, nulls_allowed as is_nullable
        from {catalog}.ducklake_column as c join {catalog}.ducklake_table as t using (table_id) join {schemas} using (schema_id)
        where c.end_snapshot is null and t.end_snapshot is null and c.parent_column is null""",
    "duckdb_functions()": """
        select '{project}' as database_name, schema_name, macro_name as function_name
        from {catalog}.ducklake_macro join {schemas} using (schema_id)
        where end_snapshot is null""",
}
# The same of one table of the server's own, a query's result.
_LISTS_OF_RESULT = {
    "duckdb_tables()": """
        select 'emulator' as database_name, '{schema}' as schema_name, '{name}' as table_name, count(*) as estimated_size from {table}""",
    "duckdb_views()": "select '' as database_name, '' as schema_name, '' as view_name, false as internal where false",
    "duckdb_columns()": """
        select 'emulator' as database_name, '{schema}' as schema_name, '{name}' as table_name, name as column_name,
            not "notnull" as is_nullable
        from pragma_table_info('{table}')""",
}
_BESIDE = "DATA_INLINING_ROW_LIMIT 0"
_TEMPORARY_TABLES = "SELECT table_name FROM duckdb_tables() WHERE temporary"
_MAKES_TEMPORARY = re.compile(r"\s*create\s+(or\s+replace\s+)?temp", re.IGNORECASE)
_PROFILED = """
set enable_profiling = 'no_output';
set profiling_coverage = 'ALL';
set custom_profiling_settings = '{"OPERATOR_NAME": "true", "EXTRA_INFO": "true"}'
"""
_SCHEMAS = "(select schema_id, schema_name from {catalog}.ducklake_schema where end_snapshot is null)"


def _extension_file(extension: str) -> Path:
    """Finds the file of an extension in its pip package."""
    spec = find_spec(f"duckdb_extension_{extension}")
    if spec is None or spec.origin is None:
        sys.exit(f"duckdb-extension-{extension} is not installed in {sys.prefix}")
    return next(Path(spec.origin).parent.glob("extensions/v*/*.duckdb_extension"))


def connect(*arguments: Any, config: dict[str, Any] | None = None, **options: Any) -> Any:
    """Replaces duckdb.connect and installs the extensions. TimeZone is set afterwards: before, it would want a third one."""
    config = {**(config or {}), "extension_directory": str(_EXTENSIONS)}
    zone = config.pop("TimeZone", None)
    connection = _connect(*arguments, config=config, **options)
    for extension in ("ducklake", "spatial"):
        connection.execute(f"install '{_extension_file(extension)}'")
    connection.execute("load ducklake")
    connection.execute("set global disabled_optimizers = 'cte_inlining'")
    if zone:
        connection.execute(f"set global TimeZone = '{zone}'")
    return Connection(connection)


class Connection:
    """Is a connection or a cursor of DuckDB that knows without asking that it has no temporary tables, until it makes one."""

    def __init__(self, connection: Any) -> None:
        self._connection, self._may_have_temporary = connection, False
        self._profiles: list[str] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def cursor(self) -> Connection:
        return Connection(self._connection.cursor())

    def execute(self, statement: str, *parameters: Any) -> Any:
        statement = statement.replace(_BESIDE, f"{_BESIDE}, OVERRIDE_DATA_PATH true") if statement.startswith("ATTACH") else statement
        self._may_have_temporary = self._may_have_temporary or _MAKES_TEMPORARY.match(statement) is not None
        result = self._connection.execute(statement, *parameters)
        if self._profiles is not None:
            self._profiles.append(self._connection.get_profiling_information())
        return result

    def profiles(self) -> list[str]:
        """Keeps the profiles of what is executed from now on, in the list that it returns."""
        self._connection.execute(_PROFILED)
        self._profiles = []
        return self._profiles

    def sql(self, statement: str, **options: Any) -> Any:
        if statement == _TEMPORARY_TABLES and not self._may_have_temporary:
            statement = "select '' as table_name where false"
        return self._connection.sql(statement, **options)


def rewritten(statement: str, lists: dict[str, str], **what: str) -> str:
    """Rewrites DuckDB's lists of everything in a statement to lists of less."""
    for function, less in lists.items():
        statement = statement.replace(function, f"({less.format(**what)})")
    return statement


def scoped(database: Any) -> Any:
    """Returns a replacement of local-bigquery's database.fetch: what is asked of one project, its first parameter, goes to its catalog."""
    fetch = database.fetch

    def fetch_of_project(statement: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        project, schema, name = (*(parameters or []), None, None, None)[:3]
        if project in database._attached:  # noqa: SLF001
            catalog = database.quote(f"__ducklake_metadata_{project}")
            schemas = _SCHEMAS.format(catalog=catalog)
            return fetch(rewritten(statement, _LISTS, project=project, catalog=catalog, schemas=schemas), parameters)
        if project == "emulator" and name is not None:
            table = database.quote(project, schema, name)
            try:
                return fetch(rewritten(statement, _LISTS_OF_RESULT, schema=schema, name=name, table=table), parameters)
            except duckdb.CatalogException:
                return []
        return fetch(statement, parameters)

    return fetch_of_project


def knowing_texts(evaluator: Any) -> Any:
    """Returns a replacement of local-bigquery's evaluator of options, which knows the value of a text without asking DuckDB."""

    def evaluator_of(cursor: Any) -> Any:
        evaluate = evaluator(cursor)
        return lambda node: node.this if node.is_string else evaluate(node)

    return evaluator_of


def in_text(bind: Any) -> Any:
    """Returns a replacement of local-bigquery's params.bind: expressions that hold the parameters' values, and no values beside them."""

    def bound(parameters: list[Any]) -> tuple[dict[str, str], dict[str, Any]]:
        expressions, values = bind(parameters)
        return {name: text.replace(f"${name}", _literal(values[name])) for name, text in expressions.items()}, {}

    return bound


def _literal(value: Any) -> str:
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


if __name__ == "__main__":
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    duckdb.connect = connect
    sys.path.append(str(Path(__file__).parent))
    from local_bigquery.api import jobs
    from local_bigquery.catalog import metadata
    from local_bigquery.cli import main
    from local_bigquery.engine import database
    from local_bigquery.grpc import write
    from local_bigquery.jobs import query, runner
    from local_bigquery.models import Table
    from local_bigquery.sql import params
    from warehouse_arrow import as_arrow, inserting_arrow  # type: ignore[import-not-found]  # it lies beside this file
    from warehouse_bytes import Meter, counting_bytes, partitioned_by, with_bytes  # type: ignore[import-not-found]

    database.fetch = scoped(database)
    params.bind = in_text(params.bind)
    query._evaluator = knowing_texts(query._evaluator)  # noqa: SLF001
    query.execute = counting_bytes(query.execute, Meter(database, partitioned_by(metadata, Table)))
    jobs.results = with_bytes(jobs.results)
    del runner.QUERY_STATISTICS["totalBytesProcessed"]
    write._decoder, write._insert = as_arrow(write), inserting_arrow(write, database)  # noqa: SLF001
    main()
