"""A successor is trained on what fields showed, can be traced to its rows, and follows only if it is better at sites it never saw."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge.models.bundle import Bundle
from edge.models.recipe import Recipe
from training.build.dense import Schedule
from training.build.snapshot import Snapshot
from training.build.succession import CURRENT, SUCCESSOR
from training.soil.recipe import FIELD_RECIPE
from training.soil.succession import Lessons, succeed
from training.soil.train import Size
from training.soil.training_set import EXAMPLES_A_DAY, SoilWindow, TrainingSet

SOIL = Path(__file__).parents[3] / "models" / "soil"
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
SNAPSHOT = Snapshot(query="soil_training_set", query_sha256="ab", from_time=BEGIN, until=BEGIN + timedelta(days=400))
TINY = Size(hidden=(8,), schedule=Schedule(epochs=3))
DAYS, HOURS = 60, 6


def field(number: int) -> list[SoilWindow]:
    """A field dries steadily from field capacity, is soaked when two days in stress, and dries again; soils and crops differ."""
    rng = random.Random(number)
    capacity, available, pace = rng.uniform(0.2, 0.4), rng.uniform(0.1, 0.18), rng.uniform(0.003, 0.008)
    cycle = available / 2 / pace + 2
    ages = [step * HOURS / 24 % cycle for step in range(DAYS * 24 // HOURS)]
    return [
        SoilWindow(
            device_id=f"soil-{number}",
            site_id=f"site-{number}",
            season=BEGIN,
            window_start=BEGIN + timedelta(hours=HOURS * step),
            window_seconds=HOURS * 3600,
            moisture=capacity - pace * age,
            temperature=18.0,
            field_capacity=capacity,
            available=available,
            days=min(max(cycle - 2 - age, 0.0), 14.0),
        )
        for step, age in enumerate(ages)
    ]


@pytest.fixture(scope="module")
def rows() -> TrainingSet:
    return TrainingSet([window for number in range(9) for window in field(number)])


def test_two_runs_are_equal_to_the_byte(rows: TrainingSet, tmp_path: Path) -> None:
    for name in ("a", "b"):
        succeed(rows, Lessons(), Bundle.load(SOIL), tmp_path / name, version="2.0.0", snapshot=SNAPSHOT, size=TINY)
    first, second = ({file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("a", "b"))
    assert first == second
    assert set(first) == {"model.tflite", "manifest.json", "constants.json"}


def test_the_manifest_says_which_rows_made_it(rows: TrainingSet, tmp_path: Path) -> None:
    succeed(rows, Lessons(), Bundle.load(SOIL), tmp_path, version="2.0.0", snapshot=SNAPSHOT, size=TINY)
    told = json.loads((tmp_path / "manifest.json").read_text())["training"]
    assert told["rows_sha256"] == rows.sha256
    assert told["until"] == SNAPSHOT.until.isoformat()
    assert sorted(told["sites"] + told["held_out_sites"]) == list(rows.sites)
    assert told["windows"] == len(rows.windows)


def test_another_row_is_another_hash(rows: TrainingSet) -> None:
    assert TrainingSet(rows.windows[1:]).sha256 != rows.sha256


def test_a_site_is_wholly_on_one_side(rows: TrainingSet) -> None:
    known, unseen = rows.split()
    assert set(known.sites).isdisjoint(unseen.sites)
    assert len(unseen.sites) == 3
    assert len(known.windows) + len(unseen.windows) == len(rows.windows)


def test_what_is_not_known_to_come_is_no_example(rows: TrainingSet) -> None:
    recipe = Recipe.parse(FIELD_RECIPE, ("moisture", "temperature", "field_capacity", "available"))
    features = rows.features(recipe)
    examples = rows.examples(features)
    assert features.shape == (len(rows.windows), len(recipe.inputs))
    assert len(examples.days) <= DAYS * EXAMPLES_A_DAY * len(rows.sites)
    assert np.isfinite(examples.features).all()
    young = 24 // HOURS
    assert np.isnan(features[: young - 1]).all()


def test_a_successor_that_learned_is_better_than_the_model_that_never_saw_such_fields(rows: TrainingSet, tmp_path: Path) -> None:
    size = Size(hidden=(16,), schedule=Schedule(epochs=60))
    bundle, succession = succeed(rows, Lessons(), Bundle.load(SOIL), tmp_path, version="2.0.0", snapshot=SNAPSHOT, size=size)
    assert not [each for each in succession.refusals if CURRENT in each], succession
    assert bundle.constants.of("soil-3") == {name: getattr(field(3)[0], name) for name in ("field_capacity", "available")}


def test_one_that_learned_next_to_nothing_is_refused_with_the_reasons(rows: TrainingSet, tmp_path: Path) -> None:
    nothing = Size(hidden=(2,), schedule=Schedule(epochs=1, rate=1e-6))
    _, succession = succeed(rows, Lessons(), Bundle.load(SOIL), tmp_path, version="2.0.0", snapshot=SNAPSHOT, size=nothing)
    assert any("in error" in reason and "rule" in reason for reason in succession.refusals), succession


def test_a_successor_does_not_beat_itself(rows: TrainingSet, tmp_path: Path) -> None:
    bundle, _ = succeed(rows, Lessons(), Bundle.load(SOIL), tmp_path, version="2.0.0", snapshot=SNAPSHOT, size=TINY)
    _, again = succeed(rows, Lessons(), bundle, tmp_path / "again", version="2.0.1", snapshot=SNAPSHOT, size=TINY)
    assert again.metrics[SUCCESSOR] == again.metrics[CURRENT]
    assert again.refusals


def test_too_few_sites_are_said() -> None:
    with pytest.raises(ValueError, match=r"1 sites with .* too few"):
        succeed(TrainingSet(field(1)), Lessons(), Bundle.load(SOIL), Path("unused"), version="2.0.0", snapshot=SNAPSHOT, size=TINY)


def test_sites_without_stress_compare_nothing(rows: TrainingSet) -> None:
    calm = TrainingSet([replace(window, days=14.0) for window in rows.windows])
    with pytest.raises(ValueError, match=r"at none of the 3 sites held out stress came within 5 days"):
        succeed(calm, Lessons(), Bundle.load(SOIL), Path("unused"), version="2.0.0", snapshot=SNAPSHOT, size=TINY)
