"""A device that several gateways hear counts once in the view `summaries`, whatever they held, and in whatever order it came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from google.cloud import bigquery

from schemas.intervals import IntervalSet
from schemas.warehouse import ALL_TIME
from tests.pipeline.rollup.reference import Heard, described
from tests.sql.test_cases import filled

BEGIN = int(datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp())
SEEDS = range(12)
HOURS, STEP = 2, 60
GATEWAYS = ("gw1", "gw2", "gw3")
CELLS = ("count", "sum", "m2", "min", "max")

Window = tuple[int, int]
"""Start and length in seconds."""


def reading(seed: int, number: int) -> float:
    return round(Random(seed * 10_000 + number).gauss(20, 9), 3)


def hearing(seed: int) -> list[Heard]:
    """One to three gateways hear a sensor, each all of it or a part, and hold windows as long as each likes; some readings come late."""
    rng = Random(seed)
    sent = range(1, HOURS * 3600 // STEP + 1)
    gateways = GATEWAYS[: rng.randint(1, 3)]
    rows = []
    for gateway in rng.sample(gateways, len(gateways)):
        share = rng.choice([1.0, 1.0, 0.9, 0.5])
        begin, end = rng.choice([(0, 1), (0, 1), (0, 0.6), (0.4, 1)])
        heard = [number for number in sent if begin <= number / len(sent) <= end and rng.random() < share]
        rows += list(rows_of(gateway, seed, heard, rng))
    return rows


def rows_of(gateway: str, seed: int, heard: list[int], rng: Random) -> Iterator[Heard]:
    lengths = rng.choice([[60], [60, 300, 1200], [3600], [600, 1800]])
    for hour in range(HOURS):
        start = hour * 3600
        while start < (hour + 1) * 3600:
            seconds = min(rng.choice(lengths), (hour + 1) * 3600 - start)
            within = [number for number in heard if start <= (number - 1) * STEP < start + seconds]
            late = [number for number in within if rng.random() < 0.05]
            yield from (row(gateway, seed, minute(number), 60, [number]) for number in late)
            yield from (row(gateway, seed, start, seconds, some) for some in [sorted(set(within) - set(late))] if some)
            start += seconds


def minute(number: int) -> int:
    return (number - 1) * STEP // 60 * 60


def row(gateway: str, seed: int, start: int, seconds: int, numbers: list[int]) -> Heard:
    return Heard(gateway, f"d{seed}", "degC", BEGIN + start, seconds, tuple(numbers), tuple(reading(seed, number) for number in numbers))


def as_fact(number: int, one: Heard) -> dict[str, Any]:
    count, total, m2, low, high = described([one])
    return {
        "batch_id": f"{one.gateway}:7:{number}",
        "gateway_id": one.gateway,
        "device_id": one.device,
        "unit": one.unit,
        "window_start": datetime.fromtimestamp(one.start, UTC),
        "window_seconds": one.seconds,
        "seq_ranges": IntervalSet.of(one.numbers).flat(),
        "count": count,
        "sum": total,
        "m2": m2,
        "min": low,
        "max": high,
        "last": one.values[-1],
    }


def expected(rows: list[Heard]) -> dict[Window, tuple[float, ...]]:
    counted: dict[Window, list[Heard]] = {}
    for stretch in stretches(rows):
        totals = Counter[str]()
        for one in stretch:
            totals[one.gateway] += len(one.values)
        ranked = sorted(totals, key=lambda gateway: (-totals[gateway], gateway))
        for one in stretch:
            higher = [other for other in stretch if other.gateway in ranked[: ranked.index(one.gateway)]]
            if not numbers_of([one]) & numbers_of(higher):
                counted.setdefault((one.start, one.seconds), []).append(one)
    return {window: described(of_window) for window, of_window in counted.items()}


def stretches(rows: list[Heard]) -> list[list[Heard]]:
    """Rows that overlap within an hour, by the letter of docs/adr/0020."""
    found: list[list[Heard]] = []
    end = 0
    for one in sorted(rows, key=lambda one: one.start):
        if one.start >= end:
            found.append([])
        found[-1].append(one)
        end = max(end, one.end)
    return found


Shown = dict[str, list[dict[str, Any]]]


@pytest.fixture
def shown(emptied: bigquery.Client) -> Iterator[Shown]:
    """The rows of the view, by device, of everything that was heard, shuffled, a part of it twice."""
    facts = [as_fact(number, one) for number, one in enumerate((one for seed in SEEDS for one in hearing(seed)), 1)]
    facts += [fact | {"received_time": datetime(2026, 5, 3, tzinfo=UTC)} for fact in facts[::7]]
    Random(5).shuffle(facts)
    with filled(emptied, {"summaries_v1": facts}, datetime.now(UTC)):
        rows: Shown = {f"d{seed}": [] for seed in SEEDS}
        for found in emptied.query_and_wait(f"select * except (sketch) from tinybeam.summaries_between({ALL_TIME})"):
            rows[found["device_id"]].append(dict(found))
        yield rows


def test_each_reading_counts_once_or_is_said_not_to_be_counted(shown: Shown) -> None:
    for seed in SEEDS:
        heard, rows = hearing(seed), shown[f"d{seed}"]
        numbers = numbers_of(heard)
        counted, uncounted = sum(found["count"] for found in rows), sum(found["readings_uncounted"] for found in rows)
        assert counted + uncounted == len(numbers), f"seed {seed}: {counted} counted and {uncounted} not, of {len(numbers)}"
        heard_all = any(numbers == numbers_of([one for one in heard if one.gateway == gateway]) for gateway in GATEWAYS)
        assert not (heard_all and uncounted), f"seed {seed}: a gateway heard everything"
        cells = {(int(found["window_start"].timestamp()), found["window_seconds"]): tuple(found[cell] for cell in CELLS) for found in rows}
        wanted = {window: pytest.approx(values, rel=1e-9, abs=1e-6) for window, values in expected(heard).items()}
        assert cells == wanted, f"seed {seed}"
    assert sum(len({one.gateway for one in hearing(seed)}) > 1 for seed in SEEDS) > len(SEEDS) / 3


def numbers_of(rows: list[Heard]) -> set[int]:
    return {number for one in rows for number in one.numbers}
