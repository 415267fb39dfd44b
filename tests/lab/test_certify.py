"""A bad day of a few hours, three ways into three warehouses: what `make certify` does with a whole day."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.acts.recorded_day import RecordedDay
from lab.certify import run
from lab.console import Console


@pytest.mark.timeout(1200)
def test_streaming_batch_and_the_archive_give_the_same_facts_and_the_same_of_what_is_derived_from_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    differing = run(tmp_path / "certify", "auto", RecordedDay.until(datetime.now(UTC), hours=3, seed=7), Console(sys.stdout))
    assert differing == frozenset()
    rows = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+) rows, equal", capsys.readouterr().out, re.MULTILINE)}
    assert rows["alerts"] > rows["alerts_open"] > 0, "some alerts are over, and some last"
