"""Gives what a page shows as rows for a file: a header and so many rows at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dash.data.span import Span
from dash.data.warehouse import MOST_ROWS, Questions, queries


class TooLong(ValueError):
    """A file would have more rows than an answer has; the text says what to do."""


class Export(NamedTuple):
    """Is a query and the parameter that its subject is, None where it has none."""

    query: str
    subject: str | None = None


NAMES: Mapping[str, Export] = {
    "field": Export("moisture", "site_id"),
    "field_days": Export("field_days", "site_id"),
    "waterings": Export("waterings", "site_id"),
    "machine": Export("scores", "device_id"),
    "label_changes": Export("label_changes", "device_id"),
    "alerts": Export("alerts", "site_id"),
    "completeness": Export("completeness"),
    "lateness": Export("lateness"),
    "rejects": Export("rejects"),
    "verdicts": Export("verdicts"),
    "uplink": Export("uplink"),
}


def rows(questions: Questions, name: str, span: Span, subject: str = "") -> Iterator[tuple[Any, ...]]:
    """Yields the names of the columns, then rows. Raises KeyError for another name, TooLong, Unreachable."""
    export = NAMES[name]
    script = queries()[export.query]
    step = round(max(span.step.total_seconds(), 3600))
    of_span = {"from_time": span.begin, "to_time": span.end, "step_seconds": step, "window_seconds": 3600}
    known = {**of_span, "open_alone": False, "model": "vibration"} | ({export.subject: subject} if export.subject else {})
    taken = {parameter.name for parameter in script.parameters}
    answer = questions.query(export.query, **{key: value for key, value in known.items() if key in taken})
    if len(answer) > MOST_ROWS:
        raise TooLong(f"these are more than {MOST_ROWS} rows: name fewer days, or ask with `tinybeam sql query`")
    yield script.selected
    for row in answer:
        yield tuple(row[column] for column in script.selected)
