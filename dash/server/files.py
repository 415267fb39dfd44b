"""Answers with what a page shows as a CSV file, a line at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from starlette.responses import Response, StreamingResponse

from dash.data import export
from dash.pages.page import Asking, Missing
from sql.present import csv_line

_DAYS = 30


def answered(asking: Asking) -> Response:
    """Returns the file that the address names, of the days that it names. Raises Missing, Unreadable, TooLong, Unreachable."""
    name = asking.place["name"]
    if name not in export.NAMES:
        raise Missing("There is no file of this name.")
    rows = export.rows(asking.questions, name, asking.span(_DAYS), asking.place.get("subject") or asking.choice.get("site", ""))
    # The first line waits for the warehouse: where it is away, that is said before a file has begun.
    first = next(rows)
    headers = {"Content-Disposition": f'attachment; filename="tinybeam-{name}.csv"'}
    return StreamingResponse(_lines(chain([first], rows)), media_type="text/csv", headers=headers)


def _lines(rows: Iterator[tuple[object, ...]]) -> Iterator[str]:
    return (csv_line(row) for row in rows)
