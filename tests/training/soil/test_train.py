"""The soil model: training repeats itself, and the committed bundle is what its page says and beats what it has to beat."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edge.models import tflite
from edge.models.bundle import Bundle
from edge.models.model import Model
from training.__main__ import cli
from training.build.dense import Schedule
from training.soil.climates import HELD_OUT_CLIMATES, TRAINING_CLIMATES
from training.soil.comparison import baselines
from training.soil.examples import Examples, examples, joined, make_plans
from training.soil.metrics import LIMITS, measure, worse
from training.soil.recipe import CHANNELS, RECIPE
from training.soil.train import Size, save, simulated, train

ROOT = Path(__file__).parents[3]
SOIL = ROOT / "models" / "soil"
TINY = Size(training_seasons=3, held_out_seasons=2, hidden=(8,), schedule=Schedule(epochs=3))
FRESH_SEED = 20_261
"""Seasons that neither training nor the page drew."""


@pytest.fixture(scope="module")
def known() -> Examples:
    return joined(list(examples(make_plans(TRAINING_CLIMATES, 15, FRESH_SEED))))


@pytest.fixture(scope="module")
def unseen() -> Examples:
    return joined(list(examples(make_plans(HELD_OUT_CLIMATES, 12, FRESH_SEED))))


def test_the_committed_model_beats_every_baseline_on_climates_it_never_saw(known: Examples, unseen: Examples) -> None:
    bundle = Bundle.load(SOIL)
    ours = measure(np.asarray(Model(bundle.runnable(), tflite.load()).run(unseen.features)), unseen.days, LIMITS)
    others = {name: measure(guess, unseen.days, LIMITS) for name, guess in baselines(bundle, known, unseen).items()}
    shortcomings = {name: metrics for name, other in others.items() if (metrics := worse(ours, other))}
    assert not shortcomings, f"seed {FRESH_SEED}: {ours} against {others}"


def test_the_committed_interval_holds_what_it_promises(unseen: Examples) -> None:
    found = measure(np.asarray(Model(Bundle.load(SOIL).runnable(), tflite.load()).run(unseen.features)), unseen.days, LIMITS)
    assert found.interval is not None
    assert 0.7 < found.interval.inside < 0.97


def test_the_same_seed_gives_the_same_bundle_and_another_another(known: Examples, tmp_path: Path) -> None:
    built = {
        name: save(train(known, seed, TINY), known, tmp_path / name, seed, TINY, simulated(TINY.training_seasons))
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    }
    files = {name: [(tmp_path / name / file).read_bytes() for file in ("model.tflite", "manifest.json")] for name in built}
    assert files["a"] == files["b"]
    assert files["a"][0] != files["c"][0]


def test_examples_are_the_same_whoever_simulates_them(known: Examples) -> None:
    plans = make_plans(TRAINING_CLIMATES, 15, FRESH_SEED)[:2]
    alone, together = joined(list(examples(plans))), joined(list(examples(plans, workers=2)))
    np.testing.assert_array_equal(alone.features, together.features)
    np.testing.assert_array_equal(alone.features, known.features[known.group < 2])
    np.testing.assert_array_equal(alone.days, together.days)


def test_the_committed_bundle_has_the_recipe_and_the_provenance_of_the_code() -> None:
    manifest = json.loads((SOIL / "manifest.json").read_text())
    assert manifest["recipe"] == RECIPE
    assert manifest["channels"] == CHANNELS
    assert manifest["training"]["climates"] == list(TRAINING_CLIMATES)
    assert manifest["training"]["held_out_climates"] == list(HELD_OUT_CLIMATES)
    assert manifest["sha256"] == sha256((SOIL / "model.tflite").read_bytes()).hexdigest()


def test_the_page_is_about_the_committed_model_and_says_that_it_is_good() -> None:
    page = (ROOT / "docs" / "models" / "soil.md").read_text()
    assert re.findall(r"SHA-256 `(\w+)`", page) == [Bundle.load(SOIL).sha256]
    assert "beats every baseline" in page


def test_the_help_says_what_it_writes_and_how_long_it_takes() -> None:
    shown = CliRunner().invoke(cli, ["soil", "--help"])
    assert shown.exit_code == 0
    text = " ".join(shown.output.split())
    assert all(word in text for word in ("--output", "--page", "--seed", "three minutes"))
