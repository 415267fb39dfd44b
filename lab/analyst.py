"""The analyst's side of the lab: the warehouse gets its tables and registry, and questions are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from google.cloud import bigquery

from schemas.registry import Registry
from sql import application, present
from sql.questions import ask
from sql.registry import load
from sql.scripts import scripts

QUESTIONS: Mapping[str, Mapping[str, str]] = {
    "driest_fields": {},
    "irrigation_this_week": {},
    "worst_machines": {},
    "alerts_by_cause": {"from_time": "now - 2 hours"},
    "what_happened": {"from_time": "now - 3 minutes"},
    "data_quality": {},
}
"""Name and parameters."""
_MOST_ROWS = 12


def prepare(client: bigquery.Client, registry: Registry, progress: Callable[[str], None]) -> None:
    """Tables, functions, views and the registry, as `tinybeam sql apply` and `tinybeam sql registry` do."""
    for step in application.plan(client, None):
        progress(step.action)
        application.run(client, step)
    load(client, registry)


def answers(client: bigquery.Client) -> Iterator[tuple[str, str]]:
    """Each question with its answer as an aligned table."""
    known = {script.name: script for script in scripts("queries")}
    for name, given in QUESTIONS.items():
        rows = ask(client, known[name], given, datetime.now(UTC))
        names, held = [field.name for field in rows.schema], [dict(row) for row in rows]
        more = f"\n... and {len(held) - _MOST_ROWS} more" if len(held) > _MOST_ROWS else ""
        command = " ".join(["tinybeam sql query", name, *(f"--param '{key}={value}'" for key, value in given.items())])
        yield f"{known[name].question}\n{command}", present.table(names, held[:_MOST_ROWS]) + more
