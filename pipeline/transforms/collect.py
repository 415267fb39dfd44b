"""Collects records that come one by one into rows for one table, as many at once as the engine's bundle has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.elements import TableRows
from pipeline.facts import rows_of

ROWS_AT_ONCE = 5000
"""How many rows are made one by one before they go on."""


@beam.typehints.with_output_types(TableRows)
class Collect(beam.DoFn):
    """Collects rows: `alerts | beam.ParDo(Collect(Alert))`. Elements that are no record need `values`, which gives the columns of one."""

    def __init__(self, record: type, values: Callable[[Any], dict[str, Any]] | None = None) -> None:
        self._record = record
        self._values = values or _values_of(record)

    def start_bundle(self) -> None:
        self._buffer: list[dict[str, Any]] = []

    def process(self, element: Any) -> Iterator[TableRows]:
        self._buffer.append(self._values(element))
        if len(self._buffer) >= ROWS_AT_ONCE:
            yield self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        if self._buffer:
            yield WindowedValue(self._flush(), MIN_TIMESTAMP, (GlobalWindow(),))

    def _flush(self) -> TableRows:
        values, self._buffer = self._buffer, []
        return rows_of(self._record, values)


def _values_of(record: type) -> Callable[[Any], dict[str, Any]]:
    names = [column.name for column in fields(record)]
    return lambda element: {name: getattr(element, name) for name in names}
