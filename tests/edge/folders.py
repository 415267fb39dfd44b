"""Folders for tests that make thousands of durable commits and prove nothing about the disk itself."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.day_cost import in_memory


@contextmanager
def memory_folder() -> Iterator[Path]:
    """In memory where there is such a place."""
    with tempfile.TemporaryDirectory(prefix="tinybeam-", dir=in_memory()) as name:
        yield Path(name)
