"""Models that answer their own inputs: the score is how badly they do, on every runtime, next to a model of another kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.models import tflite
from edge.models.bundle import Bundle, BundleError
from edge.models.model import Model
from edge.models.outputs import OUTPUTS
from edge.models.process_scorer import ProcessScorer
from tests.edge.autoencoder import SPECTRUM, bundle

SOIL = Path(__file__).parents[3] / "models" / "soil"
WIDTH = len(SPECTRUM["edges_hz"]) - 1


@pytest.fixture(scope="module")
def shaking(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundle(tmp_path_factory.mktemp("models") / "shaking")


@pytest.fixture(scope="module")
def scorer(shaking: Bundle) -> Iterator[ProcessScorer]:
    with ProcessScorer([Bundle.load(SOIL), shaking]) as running:
        yield running


def test_two_models_of_different_kinds_answer_in_one_gateway(scorer: ProcessScorer, shaking: Bundle) -> None:
    soil = Bundle.load(SOIL)
    for model in (soil, shaking, soil):
        found = scorer.score(model.name, [case.features for case in model.golden])
        assert [score.label for score in found] == [case.label for case in model.golden]
        assert [score.score for score in found] == pytest.approx([case.outputs[1] for case in model.golden], abs=model.tolerance)
    assert scorer.restarts == {"soil": 0, "shaking": 0}


def test_the_score_grows_with_what_the_model_cannot_say_and_not_with_what_it_can(scorer: ProcessScorer) -> None:
    known, strange = np.full(WIDTH, -4.0), np.full(WIDTH, -4.0)
    known[:3] += 3.0
    strange[4] += 3.0
    found = scorer.score("shaking", [known.tolist(), strange.tolist()])
    assert [score.label for score in found] == ["normal", "worn"]
    assert [score.score for score in found] == pytest.approx([0.0, 9 / WIDTH], abs=0.05)
    squares = [0, 0, 0, 0, 9]
    assert found[1].uncertainty == pytest.approx(1.2816 * np.std(squares, ddof=1) / WIDTH**0.5 + found[1].score, abs=0.1)


def test_an_input_is_compared_as_the_model_saw_it(scorer: ProcessScorer) -> None:
    # 4 is as far as the input's grid reaches: farther out nothing is known but that it is far.
    far = [[-4.0] * (WIDTH - 1) + [value] for value in (0.0, 1000.0)]
    near, farther = scorer.score("shaking", far)
    assert farther.score == pytest.approx(near.score, abs=0.1)


def test_the_interval_is_that_of_a_mean() -> None:
    rng = np.random.default_rng(3)
    truth = 2.0
    inputs = rng.normal(0, truth**0.5, (4000, 50))
    low, score, high = OUTPUTS["reconstruction"].scores(inputs, np.zeros_like(inputs)).T
    assert np.all((low <= score) & (score <= high))
    assert np.mean((low < truth) & (truth < high)) == pytest.approx(0.8, abs=0.03)


def test_one_input_has_no_interval() -> None:
    assert OUTPUTS["reconstruction"].scores(np.array([[3.0]]), np.array([[1.0]])).tolist() == [[4.0, 4.0, 4.0]]


@pytest.mark.parametrize("runtime", ["tflite-runtime", "ai-edge-litert"])
def test_every_runtime_at_hand_reproduces_the_golden_cases(shaking: Bundle, runtime: str) -> None:
    try:
        loaded = tflite.load(runtime)
    except tflite.RuntimeMissing as missing:
        pytest.skip(str(missing))
    model = Model(shaking.runnable(), loaded)
    model.check_golden()
    found = model.run(np.array([case.features for case in shaking.golden]))
    assert found[:, 1] == pytest.approx([case.outputs[1] for case in shaking.golden], abs=shaking.tolerance)


def test_a_model_that_does_not_answer_its_inputs_is_no_reconstruction(tmp_path: Path) -> None:
    narrow = bundle(tmp_path / "narrow", kind="quantiles")
    with pytest.raises(BundleError, match=r"output has shape \[1, 5\], the manifest needs \[rows, 3\]"):
        ProcessScorer([narrow])


def test_a_golden_case_that_does_not_come_out_refuses_the_bundle(tmp_path: Path) -> None:
    cases = [{"features": [-2.0] * WIDTH, "outputs": [0.0, 0.0, 0.0], "label": "normal"}]
    with pytest.raises(BundleError, match="golden case 0: the model says"):
        ProcessScorer([bundle(tmp_path / "lying", golden={"tolerance": 0.2, "cases": cases})])
