"""A bad day of a few hours, three ways into three warehouses: what `make certify` does with a whole day."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.acts.recorded_day import RecordedDay
from lab.certify import run
from lab.console import Console

BY_THE_RUN = {"alerts"}
"""Which alerts of history a killed streaming run writes depends on the run: what waits for a gateway's word goes with its state."""


@pytest.mark.timeout(1200)
def test_streaming_batch_and_the_archive_give_the_same_facts_and_what_is_derived_from_them(tmp_path: Path) -> None:
    differing = run(tmp_path / "certify", "auto", RecordedDay.until(datetime.now(UTC), hours=3, seed=7), Console(sys.stdout))
    assert differing <= BY_THE_RUN
