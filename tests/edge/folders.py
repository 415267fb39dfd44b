"""Folders for tests that make thousands of durable commits and prove nothing about the disk itself."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def memory_folder() -> Iterator[Path]:
    """In memory where there is such a place."""
    with tempfile.TemporaryDirectory(prefix="tinybeam-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as name:
        yield Path(name)
