"""SQL and pipeline state one law: what one run that saw every fact said is not computed anew."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from google.cloud import bigquery

from sql import recomputation
from tests.derive import hostile
from tests.pipeline.rollup.reference import Heard


def some_beyond_their_hour(rng: random.Random, rows: list[Heard]) -> list[Heard]:
    """Makes rows longer now and then, by minutes or by years."""
    return list(dict.fromkeys(replace(row, seconds=rng.choice([420, 7200, 2**40])) if rng.random() < 0.1 else row for row in rows))


@pytest.mark.parametrize("seed", range(2))
def test_what_a_run_that_saw_all_facts_said_is_what_sql_says(applied: bigquery.Client, seed: int) -> None:
    for table in ("summaries_v1", "site_windows_v1", "dirty_windows_v1", "recomputes_v1"):
        applied.query_and_wait(f"truncate table tinybeam.{table}")
    rng, now = random.Random(seed), datetime.now(UTC)
    batches = list(hostile.batches(some_beyond_their_hour(rng, hostile.month(rng, 300))).values())
    hostile.stored(applied, batches)
    hostile.rolled_up_by_a_run(applied, batches, now, rng)
    assert len(hostile.shown(applied)) > 80
    choice = recomputation.of_marks(applied)
    spans = recomputation.spans(applied, choice, at_most=4)
    assert len(spans) > 1
    assert [recomputation.recompute(applied, choice, span, now, dry_run=True) for span in spans] == [0] * len(spans)
