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
def test_what_a_run_that_saw_all_facts_said_is_what_sql_says(emptied: bigquery.Client, seed: int) -> None:
    rng, now = random.Random(seed), datetime.now(UTC)
    batches = list(hostile.batches(some_beyond_their_hour(rng, hostile.month(rng, 200))).values())
    hostile.stored(emptied, batches)
    hostile.rolled_up_by_a_run(emptied, batches, now, rng)
    assert len(hostile.shown(emptied)) > 80
    choice = recomputation.of_marks(emptied)
    spans = recomputation.spans(emptied, choice, at_most=4)
    assert len(spans) > 1
    assert [recomputation.recompute(emptied, choice, span, now, dry_run=True) for span in spans] == [0] * len(spans)
