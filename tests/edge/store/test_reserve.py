"""Room beside the store is given up for what makes room, and nothing else is taken before it is whole again."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.store.reserve import Reserve, reserve_file
from edge.store.store import StoreFull

BYTES = 1 << 20


class FullOnce:
    """Work that finds a full disk so many times."""

    def __init__(self, times: int = 1) -> None:
        self.times = times

    def __call__(self) -> str:
        if self.times:
            self.times -= 1
            raise StoreFull("the disk is full")
        return "done"


@pytest.fixture
def store(folder: Path) -> Path:
    return folder / "store.db"


def test_the_room_is_taken_on_the_disk(store: Path) -> None:
    Reserve(store, BYTES).require()
    assert reserve_file(store).stat().st_blocks * 512 >= BYTES


def test_what_makes_room_is_done_again_in_the_room_of_the_reserve(store: Path) -> None:
    reserve = Reserve(store, BYTES)
    reserve.require()
    assert reserve.lent(FullOnce()) == "done"
    assert not reserve_file(store).exists()
    reserve.require()
    assert reserve_file(store).stat().st_size == BYTES


def test_a_disk_that_is_full_even_so_is_full(store: Path) -> None:
    reserve = Reserve(store, BYTES)
    with pytest.raises(StoreFull):
        reserve.lent(FullOnce())
    reserve.require()
    with pytest.raises(StoreFull):
        reserve.lent(FullOnce(2))
