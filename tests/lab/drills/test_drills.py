"""The drills: that each says what it is about, and one of them in full, as `make drills` runs them all."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from lab.console import Console
from lab.drills.catalogue import DRILLS
from lab.drills.run import run

REQUIRED = {
    "outage",
    "duplicate-storm",
    "shuffled-month",
    "clock-jump",
    "schema-change",
    "silent-sensor",
    "moved-device",
    "power-cut",
    "bad-deploy",
}


def test_there_is_a_drill_for_each_fault_that_the_field_has() -> None:
    assert set(DRILLS) >= REQUIRED


@pytest.mark.parametrize("name", DRILLS)
def test_a_drill_says_in_a_sentence_what_goes_wrong_and_what_must_hold(name: str) -> None:
    assert name == DRILLS[name].NAME
    assert DRILLS[name].STORY.endswith(".")


def test_the_drill_of_a_silent_sensor_is_sound_and_summarised(tmp_path: Path) -> None:
    assert run(tmp_path / "drills", [DRILLS["silent-sensor"]], Console(io.StringIO()))
    [summary] = json.loads((tmp_path / "drills" / "summary.json").read_text())
    assert (summary["name"], summary["lost"], summary["repeated"], summary["wrong_cells"]) == ("silent-sensor", 0, 0, 0)
    assert summary["invariants"]
    assert all(summary["invariants"].values())
