"""What a step remembers is read as it was written, by later versions too, and never as something else."""

from __future__ import annotations

import pickle
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.state import Earlier, StateFormat, UnreadableState


class Heard(NamedTuple):
    at: int
    site_id: str | None


class HeardLoud(NamedTuple):
    """A field came in the middle."""

    at: int
    decibel: float
    site_id: str | None


FIRST = StateFormat("heard", 1, Heard)
SECOND = StateFormat("heard", 2, HeardLoud, {1: Earlier(Heard, lambda heard: HeardLoud(heard.at, 0.0, heard.site_id))})


@given(st.integers(-(2**62), 2**62), st.text() | st.none())
def test_a_state_comes_back_as_it_was(at: int, site_id: str | None) -> None:
    assert FIRST.unpack(FIRST.pack(Heard(at, site_id))) == Heard(at, site_id)


def test_a_key_without_a_state_has_none() -> None:
    assert FIRST.unpack(None) is None


def test_a_later_version_reads_what_the_earlier_one_wrote() -> None:
    assert SECOND.unpack(FIRST.pack(Heard(7, "north"))) == HeardLoud(7, 0.0, "north")
    assert SECOND.unpack(SECOND.pack(HeardLoud(7, 1.5, "north"))) == HeardLoud(7, 1.5, "north")


def test_an_earlier_version_refuses_what_a_later_one_wrote() -> None:
    with pytest.raises(UnreadableState, match=r"state heard has version 2, this pipeline reads 1: run the version that wrote it"):
        FIRST.unpack(SECOND.pack(HeardLoud(7, 1.5, "north")))


@pytest.mark.parametrize("packed", [b"", b"\x92", pickle.dumps(Heard(7, "north")), pickle.dumps((1, 5)), FIRST.pack(Heard(7, "n"))[:-1]])
def test_bytes_that_are_no_state_are_refused_by_the_name_of_the_state(packed: bytes) -> None:
    with pytest.raises(UnreadableState, match="state heard"):
        FIRST.unpack(packed)


def test_a_field_in_the_middle_never_shifts_silently() -> None:
    """As it did where objects were pickled as tuples: without a new version the bytes are refused."""
    same_version = StateFormat("heard", 1, HeardLoud)
    with pytest.raises(UnreadableState):
        same_version.unpack(FIRST.pack(Heard(7, "north")))
