"""Batches are looked at together, and nobody can tell from what comes out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.assign_sites import assign_sites, by_batch, group_rows
from pipeline.decode import Refused, decode_all
from pipeline.elements import DecodedBatches, RowGroup, TableRows
from pipeline.enrich import Sites
from pipeline.facts import facts
from schemas.records import Summary
from tests.pipeline.bodies import NOW, REGISTRY, numbered, numbered_batch, numbered_message, one_of, summary

SITES = Sites(REGISTRY)

ROWS = st.sampled_from(
    [
        summary("d1", NOW, 1.0),
        summary("d2", NOW + timedelta(minutes=1), 2.0),
        summary("stranger"),
        summary(sum=math.nan),
        summary("stranger", count=0),
        summary(start=NOW - timedelta(days=3000)),
    ]
)


def together(batches: Sequence[DecodedBatches]) -> tuple[pa.Table, Counter[tuple[Any, ...]]]:
    return described([assign_sites(batches, SITES, NOW)])


def described(results: Iterable[tuple[RowGroup, list[TableRows]]]) -> tuple[pa.Table, Counter[tuple[Any, ...]]]:
    """All fact rows in order, and what tells a reject from another."""
    pairs = list(results)
    rows = [row for _, rejects in pairs for reject in rejects for row in reject.rows.to_pylist()]
    counts = Counter((row["reject_id"], row["payloadBytes"], row["stage"], row["reason"], row["batch_id"]) for row in rows)
    return pa.Table.from_batches([facts(row_group).rows for row_group, _ in pairs]), counts


@given(st.lists(st.lists(ROWS, min_size=1, max_size=5), min_size=1, max_size=6))
def test_batches_together_give_what_each_gives_alone(piles: list[list[Summary]]) -> None:
    batches = [numbered_batch(number, pile) for number, pile in enumerate(piles)]
    alone, rejects = described(assign_sites([batch], SITES, NOW) for batch in batches)
    decoded_together = [each for each in decode_all(numbered_message(*pile) for pile in enumerate(piles)) if not isinstance(each, Refused)]
    for looked_at in (batches, decoded_together):
        facts_together, rejected = together(looked_at)
        assert facts_together.to_pylist() == alone.to_pylist()
        assert rejected == rejects


@pytest.mark.parametrize("kind", ["summaries", "inferences", "events", "heartbeats", "rejects"])
def test_each_row_keeps_its_batch_gateway_and_arrival(kind: str) -> None:
    rows = group_rows([numbered_batch(number, [one_of(kind)] * (number + 1)) for number in range(3)]).rows
    named = zip(*(rows.column(name).to_pylist() for name in ("batch_id", "gateway_id", "received_time", "row")), strict=True)
    numbers = [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]
    assert list(named) == [(f"gw{of % 2}:7:{1 + of}", f"gw{of % 2}", NOW + timedelta(seconds=of), row) for of, row in numbers]


def test_the_rows_of_each_batch_are_found_again() -> None:
    batches = [numbered_batch(number, numbered(1 + number)) for number in range(3)]
    assert [part.rows.column("row").to_pylist() for part in by_batch(group_rows(batches))] == [[0], [0, 1], [0, 1, 2]]


@pytest.mark.parametrize(
    ("row", "stage", "reason"),
    [
        (summary(sum=math.nan), "pipeline.validate", "not_finite"),
        (summary(start=NOW - timedelta(days=3000)), "pipeline.validate", "time_out_of_range"),
        (summary("stranger"), "pipeline.enrich", "unknown_device"),
    ],
)
def test_a_reject_names_the_stage_that_set_it_aside(row: Summary, stage: str, reason: str) -> None:
    [reject] = assign_sites([numbered_batch(0, [row])], SITES, NOW)[1]
    assert [(row["stage"], row["reason"]) for row in reject.rows.to_pylist()] == [(stage, reason)]


def test_a_reject_names_the_readings_of_its_rows_by_device_but_none_that_cannot_be_true() -> None:
    rows = [
        summary("stranger", count=9, sum=4.5, seq_ranges=(1, 3, 7, 7)),
        summary("stranger", count=9, sum=4.5, seq_ranges=(1, 3, 7, 7), start=NOW - timedelta(seconds=60)),
        summary("other", seq_ranges=(5, 6)),
        summary("stranger", seq_ranges=(10, 2**61)),
        summary("stranger", seq_ranges=(20,)),
    ]
    rejects = [row for reject in assign_sites([numbered_batch(0, rows)], SITES, NOW)[1] for row in reject.rows.to_pylist()]
    named = {reject["reason"]: [tuple(one.values()) for one in reject["readings"]] for reject in rejects}
    assert named == {"contradiction": [], "unknown_device": [("other", 5, 6), ("stranger", 1, 3), ("stranger", 7, 7)]}
