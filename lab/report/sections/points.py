"""Turns rows of query results and moments of the run into points of a chart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from lab.acts.run_record import RunRecord
from lab.witness.latency import Arrival


def grouped(rows: Iterable[Mapping[str, Any]], name: str) -> dict[str, tuple[Mapping[str, Any], ...]]:
    """Groups rows by a column that they are sorted by."""
    return {key: tuple(group) for key, group in groupby(rows, key=lambda row: row[name])}


def columns(rows: Iterable[Mapping[str, Any]], *names: str) -> list[dict[str, Any]]:
    """Selects columns, with four digits after the point."""
    return [{name: round(row[name], 4) if isinstance(row[name], float) else row[name] for name in names} for row in rows]


def second(record: RunRecord, time: datetime) -> float:
    """Returns the seconds since the sensors of act two started."""
    return round((time - record.started) / timedelta(seconds=1), 3)


def affected_by_faults(record: RunRecord) -> set[Arrival]:
    """Returns the batches that a fault affected."""
    return set(record.arrivals) - set(record.unaffected)
