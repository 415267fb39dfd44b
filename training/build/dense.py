"""Trains a small dense network in numpy: quantiles of one target by the pinball loss, or many targets by the squared error. It is
deterministic for its seed: `predict(fit(inputs, target, (16, 8), 0), inputs)`.

The pinball loss: Koenker and Bassett, Regression Quantiles, Econometrica 46 (1978). The optimiser: Kingma and Ba, Adam (2015).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Layer:
    """Holds `weights` (inputs, outputs) and `bias`; a rectifier follows if `rectified`."""

    weights: Floats
    bias: Floats
    rectified: bool


Network = tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Says how long and how fast to train."""

    epochs: int = 40
    batch: int = 512
    rate: float = 3e-3
    decay: float = 1e-5
    noise: float = 0.0


class Loss(Protocol):
    """A network is trained to make it small."""

    def initial_outputs(self, target: Floats) -> Floats:
        """Returns the best constant outputs, with which training begins: shape (outputs,)."""
        ...

    def gradient(self, outputs: Floats, target: Floats) -> Floats:
        """Returns how each row's loss grows with each of its outputs: shape (rows, outputs)."""
        ...


@dataclass(frozen=True, slots=True)
class Pinball:
    """Leads to quantiles of a target of shape (rows,), which is censored at `limits`: an output beyond them on the right side is right
    (Powell, J. Econometrics 32, 1986).
    """

    limits: tuple[float, float] = (0.0, 14.0)
    quantiles: tuple[float, ...] = QUANTILES

    def initial_outputs(self, target: Floats) -> Floats:
        return np.quantile(target, np.array(self.quantiles, np.float32))

    def gradient(self, outputs: Floats, target: Floats) -> Floats:
        error = target[:, None] - np.clip(outputs, *self.limits)
        quantiles = np.array(self.quantiles, np.float32)
        return np.where(error > 0, -quantiles, np.where(error < 0, 1 - quantiles, 0.0))


@dataclass(frozen=True, slots=True)
class Squared:
    """Leads to the mean; it is half of the mean squared error over a target of shape (rows, outputs)."""

    def initial_outputs(self, target: Floats) -> Floats:
        return np.asarray(target.mean(axis=0))

    def gradient(self, outputs: Floats, target: Floats) -> Floats:
        return (outputs - target) / outputs.shape[1]


def activations(network: Network, inputs: Floats) -> list[Floats]:
    """Returns the inputs, then each layer's outputs."""
    values = [inputs]
    for layer in network:
        sums = values[-1] @ layer.weights + layer.bias
        values.append(np.maximum(sums, 0) if layer.rectified else sums)
    return values


def predict(network: Network, inputs: Floats) -> Floats:
    """Maps shape (rows, inputs) to (rows, outputs); quantiles are not sorted."""
    return activations(network, inputs)[-1]


def fit(  # noqa: PLR0913 - what to learn from, the shape, and how
    inputs: Floats,
    target: Floats,
    hidden: Sequence[int],
    seed: int,
    schedule: Schedule = Schedule(),
    *,
    progress: Callable[[int], None] = lambda _: None,
    loss: Loss = Pinball(),
) -> Network:
    """Trains on normalised `inputs` (rows, n) and `target` (rows, ...). `progress` is called with each finished epoch."""
    rng = np.random.default_rng(seed)
    inputs, target = inputs.astype(np.float32), target.astype(np.float32)
    network = _initial_network([inputs.shape[1], *hidden], loss.initial_outputs(target).astype(np.float32), rng)
    adam = _Adam(network, schedule)
    steps = schedule.epochs * -(-len(inputs) // schedule.batch)
    for epoch in range(schedule.epochs):
        order = rng.permutation(len(inputs))
        for start in range(0, len(order), schedule.batch):
            rows = order[start : start + schedule.batch]
            batch = inputs[rows] + schedule.noise * rng.standard_normal((len(rows), inputs.shape[1]), dtype=np.float32)
            network = adam.step(network, _gradients(network, batch, target[rows], loss), steps)
        progress(epoch)
    return network


def _initial_network(widths: Sequence[int], outputs: Floats, rng: np.random.Generator) -> Network:
    """Draws random weights. `widths` are those of the inputs and the hidden layers."""
    layers = []
    for number, (inner, outer) in enumerate(pairwise([*widths, len(outputs)])):
        last = number == len(widths) - 1
        weights = rng.standard_normal((inner, outer), dtype=np.float32) * np.float32(np.sqrt((0.1 if last else 2.0) / inner))
        layers.append(Layer(weights, outputs if last else np.zeros(outer, np.float32), rectified=not last))
    return tuple(layers)


def _gradients(network: Network, inputs: Floats, target: Floats, loss: Loss) -> list[tuple[Floats, Floats]]:
    values = activations(network, inputs)
    back = loss.gradient(values[-1], target).astype(np.float32) / np.float32(len(inputs))
    gradients: list[tuple[Floats, Floats]] = []
    for layer, value in zip(reversed(network), reversed(values[:-1]), strict=True):
        gradients.append((value.T @ back, back.sum(0)))
        back = (back @ layer.weights.T) * (value > 0)
    return gradients[::-1]


class _Adam:
    """Runs Adam with a rate that falls to nothing along a cosine, and with decay of the weights."""

    def __init__(self, network: Network, schedule: Schedule) -> None:
        self._schedule = schedule
        self._steps_taken = 0
        self._mean = [[np.zeros_like(layer.weights), np.zeros_like(layer.bias)] for layer in network]
        self._square = [[np.zeros_like(layer.weights), np.zeros_like(layer.bias)] for layer in network]

    def step(self, network: Network, gradients: list[tuple[Floats, Floats]], steps: int) -> Network:
        self._steps_taken += 1
        rate = self._schedule.rate * (1 + np.cos(np.pi * self._steps_taken / steps)) / 2
        return tuple(self._move(number, layer, gradients[number], float(rate)) for number, layer in enumerate(network))

    def _move(self, number: int, layer: Layer, gradient: tuple[Floats, Floats], rate: float) -> Layer:
        moved = []
        for part, (value, slope) in enumerate(zip((layer.weights, layer.bias), gradient, strict=True)):
            mean, square = self._mean[number][part], self._square[number][part]
            mean += np.float32(0.1) * (slope - mean)
            square += np.float32(0.001) * (slope * slope - square)
            pace = (mean / (1 - 0.9**self._steps_taken)) / (np.sqrt(square / (1 - 0.999**self._steps_taken)) + 1e-8)
            moved.append((value - rate * pace - rate * self._schedule.decay * value).astype(np.float32))
        return Layer(moved[0], moved[1], layer.rectified)
