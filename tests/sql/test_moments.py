"""The view's merge of partial summaries is the law of schemas.moments."""

from __future__ import annotations

from functools import reduce
from random import Random
from typing import NamedTuple

import pytest
from google.cloud import bigquery

from edge.reading import Reading
from edge.summaries.summarise import summaries
from edge.window import Window
from schemas import moments
from schemas.envelope import micros
from schemas.records import Summary
from schemas.warehouse import ALL_TIME
from tests.sql.test_quantile import START, loaded

COLUMNS = ("count", "sum", "m2", "min", "max")


class Moments(NamedTuple):
    count: int
    sum: float
    m2: float
    min: float
    max: float


def partials(device: str, rng: Random) -> list[Summary]:
    """Some summaries of one window: the first in time, the others late, of values around a mean that dwarfs them."""
    mean, spread, start = rng.choice([0.0, 1e-6, 40.0, 1e6]), rng.choice([0.0, 1e-3, 1.0]), micros(START)
    parts = []
    for number in range(rng.randint(1, 5)):
        values = [mean + rng.gauss(0, spread) for _ in range(rng.randint(1, 20))]
        readings = [Reading(device, start + at, start + at, "synced", None, None, True, {"a": value}) for at, value in enumerate(values)]
        parts += summaries(Window(device, start, 60, number > 0, readings), {"a": "m"})
    return parts


def merged(parts: list[Summary]) -> Moments:
    return reduce(lambda a, b: Moments(*moments.merge(a, b)), [Moments(*(getattr(part, name) for name in COLUMNS)) for part in parts])


def test_python_and_sql_merge_alike(emptied: bigquery.Client) -> None:
    rng = Random(5)
    devices = {f"d{number}": partials(f"d{number}", rng) for number in range(40)}
    loaded(emptied, (part for parts in devices.values() for part in parts))
    rows = {row["device_id"]: row for row in emptied.query_and_wait(f"select * from tinybeam.summaries_between({ALL_TIME})")}
    assert rows.keys() == devices.keys()
    for device, parts in devices.items():
        wanted, row = merged(parts), rows[device]
        assert row["partials"] == len(parts)
        assert (row["count"], row["min"], row["max"]) == (wanted.count, wanted.min, wanted.max)
        assert row["sum"] == pytest.approx(wanted.sum, rel=1e-12)
        scale = max(abs(wanted.min), abs(wanted.max), 1e-12)
        assert row["m2"] == pytest.approx(wanted.m2, rel=1e-9, abs=1e-14 * wanted.count * scale * scale)
