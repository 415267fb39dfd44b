"""The vibration model: training repeats itself, and the committed bundle beats what it has to beat and is what its page says."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from edge.models import tflite
from edge.models.bundle import Bundle
from edge.models.model import Model
from training.__main__ import cli
from training.build.dense import Schedule, predict
from training.build.page import section
from training.vibration.bearing import FAULTS
from training.vibration.comparison import KURTOSIS, MODEL, RISE, RMS, compare
from training.vibration.detection import auc, detect
from training.vibration.machine import random_machine
from training.vibration.run_to_failure import Observations, joined, make_plans, observe, simulate_lives
from training.vibration.spectra import CHANNELS, RECIPE
from training.vibration.train import FAILING, FALSE_ALARMS, Size, all_plans, healthy_threshold, save, simulated, train

ROOT = Path(__file__).parents[3]
VIBRATION = ROOT / "models" / "vibration"
TINY = Size(hidden=(8, 4, 8), schedule=Schedule(epochs=3))
ORIGIN = simulated(TINY)
HOURS, FRESH_SEED = 240.0, 77_000_000
"""Machines that neither training nor the page has seen, and shorter lives."""


def observations(first: int, count: int, *, failing: bool) -> Observations:
    return joined(list(simulate_lives(make_plans(FRESH_SEED + first, count, 2, HOURS, failing=failing))))


@pytest.fixture(scope="module")
def healthy() -> Observations:
    return observations(0, 8, failing=False)


@pytest.fixture(scope="module")
def failing() -> Observations:
    return observations(100, 9, failing=True)


@pytest.fixture(scope="module")
def other() -> Observations:
    return observations(200, 6, failing=False)


def test_the_committed_model_beats_a_threshold_on_rms_on_unseen_machines(
    healthy: Observations, failing: Observations, other: Observations
) -> None:
    found = compare(Bundle.load(VIBRATION), other, healthy, failing)
    assert not found.refused, f"seed {FRESH_SEED}: {found.detections}"
    assert found.detections[MODEL].auc > found.detections[RISE].auc > 0.5


def test_the_committed_model_says_failing_at_the_end_and_normal_before_the_fault(failing: Observations) -> None:
    bundle = Bundle.load(VIBRATION)
    labels = [bundle.label(score) for score in Model(bundle.runnable(), tflite.load()).run(failing.features)[:, 1].tolist()]
    last = [label for label, severity in zip(labels, failing.severity.tolist(), strict=True) if severity > 0.85]
    first = [label for label, severity in zip(labels, failing.severity.tolist(), strict=True) if severity == 0]
    assert last.count("failing") > 0.5 * len(last) > 0
    assert first.count("normal") > 0.9 * len(first)


def test_the_int8_model_scores_like_the_network_in_float_where_machines_are_healthy(healthy: Observations, tmp_path: Path) -> None:
    trained = train(healthy.features, 0, TINY)
    bundle = save(trained, tmp_path, validation=healthy.features, examples=healthy.features, seed=0, size=TINY, origin=ORIGIN)
    inputs = trained.normalised(healthy.features)
    scores = ((inputs - predict(trained.network, inputs)) ** 2).mean(axis=1)
    ours = Model(bundle.runnable(), tflite.load()).run(healthy.features)[:, 1]
    assert np.corrcoef(scores, ours)[0, 1] > 0.98


def test_the_first_threshold_lets_the_stated_share_of_healthy_windows_through(healthy: Observations, tmp_path: Path) -> None:
    bundle = save(
        train(healthy.features, 0, TINY), tmp_path, validation=healthy.features, examples=healthy.features, seed=0, size=TINY, origin=ORIGIN
    )
    scores = Model(bundle.runnable(), tflite.load()).run(healthy.features)[:, 1]
    assert (scores > bundle.thresholds[0]).mean() == pytest.approx(FALSE_ALARMS, abs=2 / len(scores))
    assert bundle.thresholds[1] == pytest.approx(FAILING * bundle.thresholds[0])
    assert healthy_threshold(np.arange(10_001.0)) == pytest.approx(9900)


def test_the_same_seed_gives_the_same_bundle_and_another_another(healthy: Observations, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        trained = train(healthy.features, seed, TINY)
        save(trained, tmp_path / name, validation=healthy.features, examples=healthy.features, seed=seed, size=TINY, origin=ORIGIN)
    files = {name: [(tmp_path / name / file).read_bytes() for file in ("model.tflite", "manifest.json")] for name in "abc"}
    assert files["a"] == files["b"]
    assert files["a"][0] != files["c"][0]


def test_lives_are_the_same_whoever_simulates_them() -> None:
    plans = make_plans(FRESH_SEED, 2, 1, 60.0, failing=True)
    alone, together = joined(list(simulate_lives(plans))), joined(list(simulate_lives(plans, workers=2)))
    for name in Observations.__slots__:
        np.testing.assert_array_equal(getattr(alone, name), getattr(together, name))


def test_no_machine_is_in_two_data_sets() -> None:
    parts = {name: {plan.seed for plan in plans} for name, plans in all_plans(Size(), 0).items()}
    assert sum(map(len, parts.values())) == len(set().union(*parts.values()))
    assert {plan.fault for plan in all_plans(Size(), 0)["failing"]} == set(FAULTS)
    assert all(plan.fault is None for name in ("training", "validation", "healthy") for plan in all_plans(Size(), 0)[name])


def test_a_machine_that_is_only_louder_than_others_is_not_called_worn() -> None:
    """What is usual is the machine's own."""
    bundle = Bundle.load(VIBRATION)
    for seed in (FRESH_SEED + 1, FRESH_SEED + 2):
        assert random_machine(seed).sound.noise > 0
    quiet, loud = (rows(scale) for scale in (1.0, 30.0))
    model = Model(bundle.runnable(), tflite.load())
    np.testing.assert_allclose(model.run(quiet)[:, 1], model.run(loud)[:, 1], atol=0.05)


def rows(scale: float) -> Any:
    machine, rng = random_machine(FRESH_SEED + 1), np.random.default_rng(5)
    windows = [(2.0 * number, 0.0, [np.float32(scale) * machine.frame(0.0, rng, machine.operating_point(0))]) for number in range(20)]
    return observe(0, windows).features


def test_the_area_under_the_curve_is_the_chance_to_be_ranked_right() -> None:
    assert auc(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 1.0
    assert auc(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 0.0
    assert auc(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0.5
    rng = np.random.default_rng(3)
    low, high = rng.integers(0, 6, 40).astype(float), rng.integers(2, 9, 30).astype(float)
    pairs = (high[:, None] > low).mean() + (high[:, None] == low).mean() / 2
    assert auc(low, high) == pytest.approx(pairs)


def test_detection_counts_what_it_says() -> None:
    def part(severity: list[float], machine: list[int]) -> Observations:
        count = len(severity)
        columns = (np.zeros((count, 1)), np.array(severity), np.arange(count) * 1.0, np.array(machine), *[np.ones(count)] * 3)
        return Observations(**dict(zip(Observations.__slots__, columns, strict=True)))

    calm, worn = part([0, 0, 0, 0], [0, 0, 1, 1]), part([0, 0.3, 0.8, 0, 0.3, 0.8], [0, 0, 0, 1, 1, 1])
    found = detect(calm, worn, (np.array([0.0, 0, 0, 9]), np.array([0.0, 0, 9, 0, 9, 9])), 5.0, 0.01)
    assert found.false_alarms == pytest.approx(1 / 6)
    assert (found.noisy, found.noisiest) == (0.5, 0.5)
    assert found.recall == 0.75
    assert found.recall_by_fault[:2] == (0.5, 1.0)
    assert found.recall_by_stage[2] == 0.5
    assert (found.warned, found.warning_hours) == (0.5, 0.5)


def test_the_committed_bundle_has_the_recipe_of_the_code_and_its_own_hash() -> None:
    manifest = json.loads((VIBRATION / "manifest.json").read_text())
    assert manifest["recipe"] == RECIPE
    assert manifest["channels"] == CHANNELS
    assert manifest["sha256"] == sha256((VIBRATION / "model.tflite").read_bytes()).hexdigest()
    assert manifest["training"]["machines"] == Size().training_machines
    assert manifest["training"]["false_alarms"] == FALSE_ALARMS


def test_the_page_is_about_the_committed_model_in_every_section() -> None:
    file = ROOT / "docs" / "models" / "vibration.md"
    page, bundle = file.read_text(), Bundle.load(VIBRATION)
    assert set(re.findall(r"SHA-256 `(\w+)`", page)) == {bundle.sha256}
    assert bundle.sha256 in section(file, "recordings")
    assert f"`normal` below\n{bundle.thresholds[0]:g}, `worn` below {bundle.thresholds[1]:g}" in page
    assert "The model beats the threshold on RMS" in page
    assert all(name in page for name in (RMS, RISE, KURTOSIS))


def test_the_help_says_what_it_writes_and_where_recordings_come_from() -> None:
    shown = CliRunner().invoke(cli, ["vibration", "--help"])
    assert shown.exit_code == 0
    text = " ".join(shown.output.split())
    assert all(word in text for word in ("--output", "--page", "--seed", "a minute and a half", "--recording", "non-commercial"))
