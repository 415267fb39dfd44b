"""The drills: that each says what it is about, and one of them in full, as `make drills` runs them all."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from lab.console import Console
from lab.drills.catalogue import DRILLS
from lab.drills.drill import Ground, Outcome
from lab.drills.run import run
from lab.services.child import REPOSITORY, StartFailed

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


def test_the_page_about_drills_names_each() -> None:
    assert set(re.findall(r"^\| ([a-z-]+) \|", (REPOSITORY / "docs" / "drills.md").read_text(), re.MULTILINE)) - {"drill"} == set(DRILLS)


@dataclass(frozen=True)
class Broken:
    """A drill whose pipeline does not start."""

    NAME = "broken"
    STORY = "Nothing starts."

    def run(self, ground: Ground) -> Outcome:
        raise StartFailed("pipeline ended with status 1")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[bool, list[dict[str, Any]], str]:
    """Whether all was sound, the summaries and the output of a drill that cannot run, and of one that can."""
    directory, output = tmp_path_factory.mktemp("lab") / "drills", io.StringIO()
    sound = run(directory, [Broken(), DRILLS["schema-change"]], Console(output))
    return sound, json.loads((directory / "summary.json").read_text()), output.getvalue()


def test_the_drill_of_a_schema_change_is_sound_and_summarised(played: tuple[bool, list[dict[str, Any]], str]) -> None:
    summary = played[1][1]
    assert (summary["name"], summary["lost"], summary["repeated"], summary["wrong_cells"]) == ("schema-change", 0, 0, 0)
    assert len(summary["invariants"]) == 5
    assert all(summary["invariants"].values())


def test_a_drill_that_cannot_run_is_not_sound_and_keeps_no_other_from_running(played: tuple[bool, list[dict[str, Any]], str]) -> None:
    sound, summaries, output = played
    assert not sound
    assert summaries[0]["invariants"]["the drill runs to its end"] is False
    assert "pipeline ended with status 1" in output


def test_the_output_ends_with_one_line_a_drill(played: tuple[bool, list[dict[str, Any]], str]) -> None:
    broken, sound, verdict = played[2].splitlines()[-3:]
    assert broken.startswith("BROKEN  broken")
    assert "of which broken: the drill runs to its end" in broken
    assert sound.startswith("sound   schema-change")
    assert "NOT all sound" in verdict
