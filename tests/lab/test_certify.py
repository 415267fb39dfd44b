"""A bad day of a few hours, three ways into three warehouses: what `make certify` does with a whole day."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.acts.recorded_day import RecordedDay
from lab.certify import run
from lab.console import Console

DERIVED = {"site_windows", "irrigation", "alerts"}
"""What rests on rollups: until they are recomputed they are what one run saw."""


@pytest.mark.timeout(1200)
def test_streaming_batch_and_the_archive_give_the_same_facts(tmp_path: Path) -> None:
    differing = run(tmp_path / "certify", "auto", RecordedDay.until(datetime.now(UTC), hours=3, seed=7), Console(sys.stdout))
    assert differing <= DERIVED
