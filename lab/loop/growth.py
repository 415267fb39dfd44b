"""Grows the fields in the crop-water model, in processes of their own, while the lab does something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass

from lab.loop.processes import pool
from lab.loop.world import Plan, simulate
from training.soil.season import Season

_POLITE = 3
"""How much later seasons give way to what is waited for."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Are growing: `fields.seasons(0)` waits for their first seasons, in the order of `planned`."""

    planned: Sequence[Plan]
    growing: Sequence[Sequence[Future[Season]]]

    def seasons(self, number: int) -> Iterator[Season]:
        return (field.result() for field in self.growing[number])


@contextmanager
def growing(planned: Sequence[Plan], seasons: int, processes: Executor) -> Iterator[Fields]:
    """Begins to grow so many seasons of each: the first ones in `processes`, later ones when a processor has nothing else to do.

    What nobody waited for is given up in the end.
    """
    with pool(nice=_POLITE) as later:
        pools = [processes, *[later] * (seasons - 1)]
        yield Fields(planned, [[each.submit(simulate, plan, number) for plan in planned] for number, each in enumerate(pools)])
