"""A batch goes on once, whatever comes again; and the numbers that are known survive an update of the pipeline."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.known_batches import BUCKETS, SEQS, KnownBatches, bucket
from pipeline.state import UnreadableState
from tests.pipeline.golden_bytes import golden

KNOWN = {"gw1:7": (1, 1, 70_000, 70_000), "gw2:0": (1, 2**40)}


NAMES = st.tuples(st.sampled_from(["gw1", "gw2"]), st.integers(0, 1), st.integers(1, 9))


@given(st.lists(st.lists(NAMES)))
def test_a_batch_is_new_once_whatever_state_it_is_looked_up_in(visits: list[list[tuple[str, int, int]]]) -> None:
    packed, new = None, []
    for visit in visits:
        known = KnownBatches(packed)
        new += [name for name in visit if known.add(*name)]
        packed = known.pack()
    assert sorted(new) == sorted({name for visit in visits for name in visit})


def test_the_known_numbers_are_read_from_the_bytes_of_this_release() -> None:
    known = KnownBatches(golden("seqs", 2))
    asked = [("gw1", 7, 1), ("gw1", 7, 2), ("gw2", 0, 2**39), ("gw2", 1, 1)]
    assert [known.add(*name) for name in asked] == [False, True, False, True]


def test_the_known_numbers_are_written_as_this_release_writes_them() -> None:
    assert SEQS.pack({store: msgspec.Raw(msgspec.msgpack.encode(flat)) for store, flat in KNOWN.items()}) == golden("seqs", 2)


def test_numbers_of_one_store_alone_as_before_are_refused_by_version() -> None:
    with pytest.raises(UnreadableState, match="state seqs has version 1, this pipeline reads 2"):
        KnownBatches(golden("seqs", 1))


def test_every_gateway_has_its_bucket_for_ever() -> None:
    assert [bucket(name) for name in ("gw1", "gw2", "barn-7", "", "\udcff")] == [28, 6, 18, 0, 7]
    assert {bucket(f"gw{number}") for number in range(1000)} == set(range(BUCKETS))
