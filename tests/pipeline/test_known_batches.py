"""A batch goes on once, whatever comes again; and the numbers that are known survive an update of the pipeline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.known_batches import BUCKETS, KnownBatches, bucket
from pipeline.state import UnreadableState
from tests.pipeline.golden_bytes import golden

NAMES = st.tuples(st.sampled_from(["gw1", "gw2", "gw3"]), st.integers(0, 1), st.integers(1, 9))
READERS = st.tuples(st.sampled_from(["gw1", "gw2", "gw3"]), st.integers(0, 1), st.integers(0, 10))


@given(st.lists(st.lists(NAMES)))
def test_a_batch_is_new_once_whatever_state_it_is_looked_up_in(visits: list[list[tuple[str, int, int]]]) -> None:
    packed, new = None, []
    for visit in visits:
        known = KnownBatches(packed)
        new += [name for name in visit if known.add(*name)]
        packed = known.pack()
    assert sorted(new) == sorted({name for visit in visits for name in visit})


@given(st.lists(st.lists(NAMES)), st.lists(READERS))
def test_what_is_known_is_what_came_and_nothing_else(visits: list[list[tuple[str, int, int]]], asked: list[tuple[str, int, int]]) -> None:
    known = KnownBatches()
    for visit in visits:
        for name in visit:
            known.add(*name)
        known = KnownBatches(known.pack())
    came = {name for visit in visits for name in visit}
    assert [known.knows(*name) for name in asked] == [name in came for name in asked]


def test_a_store_without_gaps_takes_the_same_few_bytes_however_long_it_runs() -> None:
    sizes = []
    for batches in (1, 5_000):
        known = KnownBatches()
        for number in range(200):
            for seq in range(1, batches // 200 + 2):
                known.add(f"farm-{number}", 2**62 + number, seq)
        sizes.append(len(known.pack()))
    assert sizes[0] == sizes[1] < 200 * 32 + 20


def test_a_gap_that_is_filled_costs_nothing_any_more() -> None:
    whole, filled = KnownBatches(), KnownBatches()
    for seq in range(1, 8):
        whole.add("gw1", 7, seq)
    for seq in (1, 2, 6, 7, 4, 3):
        filled.add("gw1", 7, seq)
    filled = KnownBatches(filled.pack())
    filled.add("gw1", 7, 5)
    assert filled.pack() == whole.pack()


@pytest.mark.parametrize("version", [2, 3, 4])
def test_the_known_numbers_are_read_from_the_bytes_of_this_release_and_of_the_one_before(version: int) -> None:
    known = KnownBatches(golden("seqs", version))
    asked = [("gw1", 7, 1), ("gw1", 7, 2), ("gw1", 7, 70_000), ("gw2", 0, 2**39), ("gw2", 1, 1)]
    assert [known.knows(*name) for name in asked] == [True, False, True, True, False]
    assert [known.add(*name) for name in asked] == [False, True, False, False, True]


def test_the_known_numbers_are_written_as_this_release_writes_them() -> None:
    assert KnownBatches(golden("seqs", 2)).pack() == golden("seqs", 4)


def test_what_is_in_a_bag_is_counted_over_restarts_until_it_is_full() -> None:
    known, full = KnownBatches(), []
    for _ in range(5):
        full.append(known.put_in_bag(2, most=5))
        known = KnownBatches(known.pack())
    assert (full, known.filled) == ([False, False, True, False, False], 1)


def test_numbers_of_one_store_alone_as_before_are_refused_by_version() -> None:
    with pytest.raises(UnreadableState, match="state seqs has version 1, this pipeline reads 2, 3, 4"):
        KnownBatches(golden("seqs", 1))


def test_every_gateway_has_its_bucket_for_ever() -> None:
    assert [bucket(name) for name in ("gw1", "gw2", "barn-7", "", "\udcff")] == [28, 6, 18, 0, 7]
    assert {bucket(f"gw{number}") for number in range(1000)} == set(range(BUCKETS))
