"""Gives what a page shows as rows for a file: a header and so many rows at most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dash.data import devices, machines
from dash.data.span import Span
from dash.data.warehouse import MOST_ROWS, Questions, Row, queries


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
    known: dict[str, Any] = {
        "from_time": span.begin,
        "to_time": span.end,
        "step_seconds": span.step_seconds,
        "open_alone": False,
        "most": MOST_ROWS + 1,
    }
    known |= {export.subject: subject} if export.subject else {}
    answer = _answer(questions, export, known, span)
    yield script.selected
    for row in answer:
        yield tuple(row[column] for column in script.selected)


def _answer(questions: Questions, export: Export, known: dict[str, Any], span: Span) -> tuple[Row, ...]:
    """Asks nothing of a device that the viewer does not see: how long an answer takes would say whether there is one."""
    if export.subject == "device_id" and all(device.device_id != known["device_id"] for device in devices.read(questions, span.end)):
        return ()
    taken = {parameter.name for parameter in queries()[export.query].parameters}
    if "model" in taken:
        known["model"] = machines.model_of(questions, known["device_id"], span.end) or ""
    return questions.query(export.query, **{key: value for key, value in known.items() if key in taken})
