"""A batch run ends with rollups that are what all facts say, or says why not and what to do."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from google.cloud import bigquery

from derive.batch import NotRecomputed, recompute
from lab.services.stack import Warehouse
from schemas.registry import Registry
from tests.derive import hostile
from tests.warehouses import client_of

STARTED = datetime(2026, 6, 1, tzinfo=UTC)


def test_the_second_of_two_runs_over_the_same_hours_leaves_what_all_facts_say(emptied: bigquery.Client) -> None:
    rows = hostile.month(random.Random(7), 60)
    batches = list(hostile.batches(rows).values())
    for number, seen in enumerate((batches[:30], batches[30:])):
        hostile.stored(emptied, seen)
        hostile.rolled_up_by_a_run(emptied, seen, STARTED + timedelta(minutes=number), random.Random(0))
    said: list[str] = []
    recompute(emptied, STARTED, Registry((), ()), said.append)
    assert hostile.shown(emptied) == {window: pytest.approx(cells) for window, cells in hostile.truth(rows).items()}
    assert said[-1].startswith("recomputed: looked at ")


def test_hours_that_the_run_did_not_touch_are_left(emptied: bigquery.Client) -> None:
    batches = list(hostile.batches(hostile.month(random.Random(7), 20)).values())
    hostile.stored(emptied, batches)
    hostile.rolled_up_by_a_run(emptied, batches, STARTED - timedelta(minutes=1), random.Random(0))
    said: list[str] = []
    recompute(emptied, STARTED, Registry((), ()), said.append)
    assert said == ["recomputed: looked at 0 hours of sites, 0 site windows, 0 days of fields and 0 rows of alerts changed"]


def test_a_warehouse_without_the_functions_is_told_what_to_do(warehouse: Warehouse) -> None:
    with client_of(warehouse, "batch-bare") as bare, pytest.raises(NotRecomputed, match=r"sql apply.*sql recompute"):
        recompute(bare, STARTED, Registry((), ()), lambda text: None)
