"""A step of `tinybeam sql apply`: one thing to do, said in words before it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from google.cloud import bigquery


@dataclass(frozen=True, slots=True)
class Step:
    """Is one thing to do with a client, and what it does in words; `loses` says which rows it deletes, if any."""

    action: str
    do: Callable[[bigquery.Client], object]
    loses: str = ""


def statement(action: str, sql: str) -> Step:
    """Returns the step that runs one statement."""
    return Step(action, lambda client: client.query_and_wait(sql))
