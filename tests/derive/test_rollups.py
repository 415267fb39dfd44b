"""After `tinybeam sql recompute` site windows are what the facts say, to the last cell, however these came, on a real warehouse server."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import bigquery

from derive.rollups import How, derive
from schemas.records import Recomputation
from schemas.registry import Registry
from sql import recomputation
from sql.recomputation import Choice
from tests import long_form
from tests.derive import hostile
from tests.derive.hostile import Window
from tests.pipeline.rollup.reference import Heard


def recomputed(client: bigquery.Client, choice: Choice | None = None, at_most: int = 4) -> Recomputation:
    return derive(client, choice or recomputation.of_marks(client), Registry((), ()), lambda text: None, How(at_most))


def differing(found: dict[Window, tuple[float, ...]], expected: dict[Window, tuple[float, ...]]) -> list[str]:
    """Each cell that is not what it must be."""
    missing = [(None, None)] * len(hostile.CELLS)
    return [
        f"{window} {name}: {left} instead of {right}"
        for window in found.keys() | expected.keys()
        for name, (left, right) in zip(
            hostile.CELLS,
            zip(found[window], expected[window], strict=True) if {window} <= found.keys() & expected.keys() else missing,
            strict=True,
        )
        if left is None or left != (right if isinstance(right, int) else pytest.approx(right, rel=1e-9, abs=1e-9))
    ]


@pytest.mark.parametrize("seed", range(long_form.number(1, 3)))
def test_a_hostile_month_split_over_three_runs_equals_the_facts(emptied: bigquery.Client, seed: int) -> None:
    rows = hostile.month(random.Random(0))
    batches = hostile.batches(rows)
    rng = random.Random(seed)
    begin = datetime.now(UTC) - timedelta(hours=3)
    for number in range(
        3
    ):  # each run sees a part, some of it again, in any order; the second is restarted and knows nothing of its first half
        seen = [batches[one] for one in rng.sample(rows, len(rows) // 2 if number < 2 else len(rows))][: 300 if number == 2 else None]
        hostile.stored(emptied, [*seen, *rng.sample(seen, 50)])
        hostile.rolled_up_by_a_run(emptied, seen, begin + timedelta(hours=number), rng)
        if number == 1:
            recomputed(emptied)
    hostile.stored(emptied, batches.values())
    hostile.rolled_up_by_a_run(emptied, [batches[one] for one in rng.sample(rows, 40)], datetime.now(UTC), rng)

    expected = hostile.truth(rows)
    assert len(expected) > 200
    assert differing(hostile.shown(emptied), expected), "without recomputation it is wrong"
    first = recomputed(emptied)
    assert differing(hostile.shown(emptied), expected) == []
    assert first.site_windows > 0
    assert recomputed(emptied).site_windows == 0


def test_hours_of_a_time_are_looked_at_without_marks(emptied: bigquery.Client) -> None:
    rows = hostile.month(random.Random(4), 60)
    hostile.stored(emptied, hostile.batches(rows).values())
    assert recomputed(emptied).site_hours == 0
    times = recomputation.of_span(hostile.MONTH, hostile.MONTH + timedelta(days=31))
    assert recomputed(emptied, times).site_windows >= len(hostile.truth(rows))
    assert differing(hostile.shown(emptied), hostile.truth(rows)) == []


def test_a_dry_run_counts_and_writes_nothing(emptied: bigquery.Client) -> None:
    rows = hostile.month(random.Random(4), 60)
    hostile.stored(emptied, hostile.batches(rows).values())
    times = recomputation.of_span(hostile.MONTH, hostile.MONTH + timedelta(days=31))
    said: list[str] = []
    record = derive(emptied, times, Registry((), ()), said.append, How(4, dry_run=True))
    assert record.site_windows >= len(hostile.truth(rows))
    assert hostile.shown(emptied) == {}
    assert list(emptied.query_and_wait("select * from tinybeam.recomputes_v1")) == []
    assert said[0].startswith("1 of ")


def test_what_a_later_run_says_of_a_part_does_not_hide_what_was_recomputed(emptied: bigquery.Client) -> None:
    rows = hostile.month(random.Random(5), 80)
    batches = hostile.batches(rows)
    hostile.stored(emptied, batches.values())
    recomputed(emptied, recomputation.of_span(hostile.MONTH, hostile.MONTH + timedelta(days=31)))
    hostile.rolled_up_by_a_run(emptied, [batches[one] for one in rows[:40]], datetime.now(UTC), random.Random(0))
    assert differing(hostile.shown(emptied), hostile.truth(rows)) == []


@pytest.mark.parametrize("seconds", [420, 2400, 7200])
def test_windows_that_do_not_divide_the_hour_lose_and_repeat_no_reading(emptied: bigquery.Client, seconds: int) -> None:
    """As gateways of before were configured: a reading a minute for 14 hours, on the grid of the epoch, heard by two."""
    begin = int(hostile.MONTH.timestamp()) // seconds * seconds
    rows = [
        Heard(gateway, "d1", "degC", start, seconds, tuple(range(start // 60, (start + seconds) // 60)), (20.0,) * (seconds // 60))
        for start in range(begin, begin + 14 * 3600, seconds)
        for gateway in ("gw1", "gw2")
    ]
    batches = list(hostile.batches(rows).values())
    hostile.stored(emptied, batches)
    hostile.rolled_up_by_a_run(emptied, batches, datetime.now(UTC), random.Random(0))
    assert readings(hostile.shown(emptied)) == 14 * 60
    hostile.rolled_up_by_a_run(emptied, batches[: len(batches) // 2], datetime.now(UTC), random.Random(0))
    recomputed(emptied, recomputation.of_span(hostile.MONTH - timedelta(days=1), hostile.MONTH + timedelta(days=1)))
    assert readings(hostile.shown(emptied)) == 14 * 60
    assert differing(hostile.shown(emptied), hostile.truth(rows)) == []


def readings(found: dict[Window, tuple[float, ...]]) -> float:
    """How many readings the hours hold."""
    return sum(cells[0] for (_, _, seconds, _), cells in found.items() if seconds == 3600)
