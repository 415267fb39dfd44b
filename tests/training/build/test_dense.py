"""The network and its int8 twin: quantiles are quantiles, the same seed gives the same network, and every runtime agrees with float."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge.models import tflite
from training.build.dense import QUANTILES, Layer, Network, Pinball, Schedule, Squared, activations, fit, predict
from training.build.int8 import Grid, calibrate, write

QUICK = Schedule(epochs=30, batch=256, rate=1e-2)


def noisy(seed: int = 1, rows: int = 6000) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    inputs = rng.uniform(-1, 1, (rows, 3))
    return inputs, 7 + 2 * inputs[:, 0] + np.abs(inputs[:, 1]) + (1.5 + inputs[:, 2]) * rng.normal(size=rows)


@pytest.fixture(scope="module")
def network() -> Network:
    return fit(*noisy(), (16, 8), 3, QUICK)


def test_each_output_has_its_share_of_the_truth_below_it(network: Network) -> None:
    inputs, target = noisy(seed=2)
    below = (target[:, None] < predict(network, inputs.astype(np.float32))).mean(axis=0)
    np.testing.assert_allclose(below, QUANTILES, atol=0.03)


def test_other_quantiles_have_their_share_below_them() -> None:
    quantiles = (0.25, 0.45, 0.75)
    inputs, target = noisy(seed=2)
    found = predict(fit(*noisy(), (16, 8), 3, QUICK, loss=Pinball((-100.0, 100.0), quantiles)), inputs.astype(np.float32))
    np.testing.assert_allclose((target[:, None] < found).mean(axis=0), quantiles, atol=0.03)


def test_a_hidden_layer_learns_what_a_linear_model_cannot(network: Network) -> None:
    inputs, target = noisy(seed=2)
    linear = fit(*noisy(), (), 3, QUICK)
    errors = [np.abs(target - predict(each, inputs.astype(np.float32))[:, 1]).mean() for each in (network, linear)]
    assert errors[0] < errors[1]


def test_the_same_seed_gives_the_same_network_and_another_another(network: Network) -> None:
    again, other = fit(*noisy(), (16, 8), 3, QUICK), fit(*noisy(), (16, 8), 4, QUICK)
    assert all(np.array_equal(a.weights, b.weights) and np.array_equal(a.bias, b.bias) for a, b in zip(network, again, strict=True))
    assert not np.array_equal(network[0].weights, other[0].weights)


def test_outputs_beyond_a_censored_target_cost_nothing() -> None:
    inputs = np.linspace(-1, 1, 4000)[:, None]
    target = np.clip(28 * inputs[:, 0], 0, 14)

    def error(limits: tuple[float, float]) -> float:
        found = predict(fit(inputs, target, (), 0, Schedule(epochs=60, rate=0.1), loss=Pinball(limits)), inputs.astype(np.float32))
        return float(np.abs(np.clip(found[:, 1], 0, 14) - target).mean())

    assert error((0.0, 14.0)) < error((-100.0, 100.0)) / 2


def test_the_squared_error_leads_to_the_least_squares_solution() -> None:
    inputs, _ = noisy()
    target = inputs @ np.array([[1.0, 0.0], [2.0, -1.0], [0.0, 0.5]]) + np.array([3.0, -2.0])
    found = predict(fit(inputs, target, (), 0, Schedule(epochs=40, rate=3e-2, decay=0.0), loss=Squared()), inputs.astype(np.float32))
    np.testing.assert_allclose(found, target, atol=0.01)


def test_the_gradient_of_the_squared_error_is_its_derivative() -> None:
    outputs, target = np.array([[1.0, 2.0], [0.0, -1.0]]), np.array([[0.5, 2.5], [1.0, 1.0]])

    def cost(values: Any) -> Any:
        return ((values - target) ** 2).mean(axis=1) / 2

    steps = 1e-6 * np.eye(2)
    numeric = np.array([(cost(outputs + step) - cost(outputs - step)) / 2e-6 for step in steps]).T
    np.testing.assert_allclose(Squared().gradient(outputs, target), numeric, atol=1e-8)


@pytest.mark.parametrize("runtime", ["tflite-runtime", "ai-edge-litert"])
def test_the_int8_model_runs_in_every_runtime_and_agrees_with_float(network: Network, runtime: str) -> None:
    try:
        loaded = tflite.load(runtime)
    except tflite.RuntimeMissing as missing:
        pytest.skip(str(missing))
    inputs = noisy(seed=2)[0].astype(np.float32)
    values = activations(network, inputs)
    model = write(network, calibrate(values, (0.0, 14.0)), "test")
    found = run(loaded.interpreter(model_content=model), inputs)
    assert np.abs(found - np.clip(values[-1], 0, 14)).max() < 0.5


def test_the_same_network_gives_the_same_file(network: Network) -> None:
    grids = calibrate(activations(network, noisy()[0].astype(np.float32)), (0.0, 14.0))
    assert write(network, grids, "test") == write(network, grids, "test")


@pytest.mark.parametrize(("low", "high"), [(0.0, 14.0), (-1.0, 1.0), (3.0, 5.0), (-5.0, -3.0), (0.0, 0.0)])
def test_a_grid_spans_its_range_and_holds_zero_exactly(low: float, high: float) -> None:
    grid = Grid.over(low, high)
    assert -128 <= grid.zero <= 127
    assert (-128 - grid.zero) * grid.scale <= low + grid.scale
    assert (127 - grid.zero) * grid.scale >= high - grid.scale


def test_a_layer_that_is_all_zero_can_be_written() -> None:
    empty = (Layer(np.zeros((2, 3), np.float32), np.zeros(3, np.float32), rectified=False),)
    assert write(empty, [Grid.over(-1, 1), Grid.over(0, 14)], "empty")


def run(interpreter: Any, inputs: Any) -> Any:
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.allocate_tensors()
    scale, zero = source["quantization"]
    interpreter.set_tensor(source["index"], np.clip(np.round(inputs / scale) + zero, -128, 127).astype(np.int8))
    interpreter.invoke()
    scale, zero = sink["quantization"]
    return (interpreter.get_tensor(sink["index"]).astype(float) - zero) * scale
