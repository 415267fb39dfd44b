"""The analyst's side of the lab: the warehouse gets its tables and registry, and three questions are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from google.cloud import bigquery

from schemas.registry import Registry
from sql import application, present
from sql.questions import ask
from sql.registry import load
from sql.scripts import scripts

QUESTIONS = ("driest_fields", "what_happened", "data_quality")
_MOST_ROWS = 12


def prepare(client: bigquery.Client, registry: Registry, progress: Callable[[str], None]) -> None:
    """Tables, functions, views and the registry, as `tinybeam sql apply` and `tinybeam sql registry` do."""
    for step in application.plan(client, None):
        progress(step.action)
        application.run(client, step)
    load(client, registry)


def answers(client: bigquery.Client) -> Iterator[tuple[str, str]]:
    """Each question with its answer as an aligned table."""
    for script in scripts("queries"):
        if script.name in QUESTIONS:
            rows = ask(client, script, {}, datetime.now(UTC))
            names, held = [field.name for field in rows.schema], [dict(row) for row in rows]
            more = f"\n... and {len(held) - _MOST_ROWS} more" if len(held) > _MOST_ROWS else ""
            yield f"{script.question} (tinybeam sql query {script.name})", present.table(names, held[:_MOST_ROWS]) + more
