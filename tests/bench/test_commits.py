"""The benchmark of commits counts what the store makes durable."""

from __future__ import annotations

from pathlib import Path

from bench import commits


def test_sensors_that_speak_together_share_a_commit(tmp_path: Path) -> None:
    alone, together = commits.commits(tmp_path, commits.QUICK, lambda _: None)
    assert alone.baseline == together.baseline == 5 * 60 * 24
    assert alone.value
    assert 5 * 60 * 24 <= alone.value < 6 * 60 * 24
    assert together.value
    assert 60 * 24 <= together.value < 2 * 60 * 24
