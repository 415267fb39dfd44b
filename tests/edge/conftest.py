"""What many tests of the gateway begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.folders import memory_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory, where a sync costs nothing."""
    with memory_folder() as folder:
        yield folder
