"""A farm of its own for each test of keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.keys.farms import Farm


@pytest.fixture
def farm(tmp_path: Path) -> Farm:
    return Farm(tmp_path)
