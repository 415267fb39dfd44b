"""Makes the processes that the loop shares its work among, as many as `WORKERS`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

WORKERS = 2


@contextmanager
def pool(nice: int = 0) -> Iterator[ProcessPoolExecutor]:
    """Yields a pool that gives way to others by so much; what it has not begun in the end is given up."""
    executor = ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn"), initializer=_begin, initargs=(nice,))
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def _begin(nice: int) -> None:
    os.nice(nice)
    # What a gateway logs of its releases the farm knows as faults: it stays off the console.
    logging.getLogger().addHandler(logging.NullHandler())
