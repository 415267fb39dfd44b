"""Grows the fields in the crop-water model, in processes of its own, while the lab does something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

from lab.loop.stretch import WORKERS
from lab.loop.world import Plan, simulate
from training.soil.season import Season


@dataclass(frozen=True, slots=True)
class Fields:
    """Are growing: `fields.seasons(0)` waits for their first seasons, in the order of `planned`."""

    planned: Sequence[Plan]
    growing: Sequence[Sequence[Future[Season]]]

    def seasons(self, number: int) -> Iterator[Season]:
        return (field.result() for field in self.growing[number])


@contextmanager
def growing(planned: Sequence[Plan], seasons: int) -> Iterator[Fields]:
    """Begins to grow so many seasons of each, one after the other; what nobody waited for is given up in the end."""
    pool = ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"))
    try:
        yield Fields(planned, [[pool.submit(simulate, plan, number) for plan in planned] for number in range(seasons)])
    finally:
        pool.shutdown(cancel_futures=True)
