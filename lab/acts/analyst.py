"""Does what an analyst does in the lab: makes the tables, loads the registry and asks questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from google.cloud import bigquery

from schemas.registry import Registry
from schemas.warehouse import DATASET
from sql import application, present
from sql.questions import ask
from sql.registry import load
from sql.scripts import Script, scripts

QUESTIONS: Mapping[str, Mapping[str, str]] = {
    "driest_fields": {},
    "irrigation_this_week": {},
    "worst_machines": {},
    "alerts_by_cause": {"from_time": "now - 2 hours"},
    "what_happened": {"from_time": "now - 3 minutes"},
    "data_quality": {},
}
"""Name -> parameters."""
QUERIES_AT_ONCE = 3
"""One more than the cores of most machines: a query waits for the client, too."""
_MOST_ROWS = 12


def prepare(client: bigquery.Client, registry: Registry, progress: Callable[[str], None]) -> None:
    """Makes tables, functions and views and loads the registry, as `tinybeam sql apply` and `tinybeam sql registry` do."""
    application.apply(client, None, progress)
    load(client, registry)


def empty(client: bigquery.Client) -> None:
    """Empties the tables of a project that hold rows."""
    tables = [f"{DATASET}.{table.name}" for table in scripts("tables")]
    filled = client.query_and_wait(" union all ".join(f"(select '{table}' as name from {table} limit 1)" for table in tables))
    for row in filled:
        client.query_and_wait(f"truncate table {row.name}")


def fill_anew(client: bigquery.Client, registry: Registry) -> None:
    """Empties a project that has its tables, and loads the registry."""
    empty(client)
    load(client, registry)


def answers(client: bigquery.Client) -> Iterator[tuple[str, str]]:
    """Yields each question with its answer as an aligned table; some are asked at once."""
    known = {script.name: script for script in scripts("queries")}
    with ThreadPoolExecutor(QUERIES_AT_ONCE) as pool:
        yield from pool.map(lambda name: _answer(client, known[name], QUESTIONS[name]), QUESTIONS)


def _answer(client: bigquery.Client, script: Script, parameters: Mapping[str, str]) -> tuple[str, str]:
    answer = ask(client, script, parameters, datetime.now(UTC))
    columns, rows = [field.name for field in answer.schema], [dict(row) for row in answer]
    more = f"\n... and {len(rows) - _MOST_ROWS} more" if len(rows) > _MOST_ROWS else ""
    command = " ".join(["tinybeam sql query", script.name, *(f"--param '{key}={value}'" for key, value in parameters.items())])
    return f"{script.question}\n{command}", present.table(columns, rows[:_MOST_ROWS]) + more
