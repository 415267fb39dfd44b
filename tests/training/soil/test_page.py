"""The soil model's page is the template with the figures beside it; what the figures say is put into words."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.models.bundle import Bundle
from training.build.page import read_figures
from training.soil.comparison import LINEAR, MODEL, Comparison
from training.soil.metrics import Interval
from training.soil.page import Figures, page_text

ROOT = Path(__file__).parents[3]
SOIL, PAGE = ROOT / "models" / "soil", ROOT / "docs" / "models" / "soil.md"


@pytest.fixture
def figures() -> Figures:
    return read_figures(PAGE.with_suffix(".json"), Figures)


def rendered(figures: Figures) -> str:
    return page_text(figures, Bundle.load(SOIL), json.loads((SOIL / "manifest.json").read_text()))


def test_the_committed_page_is_rendered_of_the_committed_figures(figures: Figures) -> None:
    assert PAGE.read_text().partition("\n<!-- gate")[0] == rendered(figures)


def test_a_baseline_that_is_as_good_is_named_with_its_metrics(figures: Figures) -> None:
    metrics = dict(figures.held_out.metrics)
    metrics[LINEAR] = replace(metrics[LINEAR], error=metrics[MODEL].error, accuracy=1.0)
    text = rendered(replace(figures, held_out=replace(figures.held_out, metrics=metrics)))
    assert f"**The model does not beat the {LINEAR} in error and in right verdicts.** In all else" in text


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(0.7, 0.15, 0.15, 5.0), "The interval is too narrow"),
        (Interval(0.85, 0.12, 0.03, 5.0), "What it misses lies below"),
        (Interval(0.9, 0.05, 0.05, 5.0), "Its tails are even."),
    ],
)
def test_the_page_judges_the_interval(figures: Figures, interval: Interval, words: str) -> None:
    text = rendered(replace(figures, held_out=with_interval(figures.held_out, interval)))
    assert words in text
    assert f"inside in {interval.inside:.1%}" in text


def with_interval(comparison: Comparison, interval: Interval) -> Comparison:
    return replace(comparison, metrics={**comparison.metrics, MODEL: replace(comparison.model, interval=interval)})
