"""The vibration model's page is its templates with the figures beside it; what the figures say is put into words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.models.bundle import Bundle
from training.build.page import read_figures, section
from training.vibration.comparison import KURTOSIS, MODEL, RISE, RMS, SQUARES, Comparison
from training.vibration.page import page_text
from training.vibration.recordings_page import ADAPTED, SHIPPED, RecordingFigures, section_text

ROOT = Path(__file__).parents[3]
VIBRATION, PAGE = ROOT / "models" / "vibration", ROOT / "docs" / "models" / "vibration.md"


@pytest.fixture
def comparison() -> Comparison:
    return read_figures(PAGE.with_suffix(".json"), Comparison)


@pytest.fixture
def replayed() -> RecordingFigures:
    return read_figures(PAGE.with_suffix(".recordings.json"), RecordingFigures)


def rendered(comparison: Comparison) -> str:
    return page_text(comparison, Bundle.load(VIBRATION), json.loads((VIBRATION / "manifest.json").read_text()))


def test_the_committed_page_is_rendered_of_the_committed_figures(comparison: Comparison) -> None:
    assert PAGE.read_text().partition("\n<!-- gate")[0] == rendered(comparison)


def test_the_committed_section_on_recordings_is_rendered_of_its_figures(replayed: RecordingFigures) -> None:
    assert section(PAGE, "recordings") == section_text(replayed, Bundle.load(VIBRATION))


def test_a_model_that_does_not_beat_rms_is_not_to_be_used(comparison: Comparison) -> None:
    worse = replace(comparison.model, auc=comparison.detections[RMS].auc)
    text = rendered(replace(comparison, detections={**comparison.detections, MODEL: worse}))
    assert "**The model does not beat the threshold on RMS: it is not to be used.**" in text


def test_a_model_that_beats_every_baseline_everywhere_is_said_to(comparison: Comparison) -> None:
    best = replace(
        comparison.model,
        auc=1.0,
        false_alarms=0.0,
        recall=1.0,
        recall_at_equal_alarms=1.0,
        recall_by_stage=(1.0,) * 5,
        recall_by_fault=(1.0,) * 3,
        warning_hours=1000.0,
    )
    text = rendered(replace(comparison, detections={**comparison.detections, MODEL: best}))
    assert "No baseline is better anywhere." in text
    assert not any(f"\n- {name}:" in text for name in (RMS, RISE, KURTOSIS, SQUARES))


def test_a_rule_that_finds_more_in_the_recordings_is_named(replayed: RecordingFigures) -> None:
    ours = replace(replayed.found[SHIPPED], recall=dict.fromkeys(replayed.found[SHIPPED].recall, 0.1), false_alarms=0.5)
    text = section_text(replace(replayed, found={**replayed.found, SHIPPED: ours}), Bundle.load(VIBRATION))
    assert (
        f"- {ADAPTED}: finds more in: outer race, same load, outer race, other loads, inner race, other loads; fewer false alarms." in text
    )
