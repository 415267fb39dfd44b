"""Defines what a child process gets of a bundle: all that running the model takes, the model included, in a form that needs no other room.

It imports next to nothing: each import here is memory of every model's child.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple


class BundleError(Exception):
    """The bundle cannot be used; the text names the file and the reason."""


class Golden(NamedTuple):
    """Holds a case that the model must reproduce: features before normalisation, outputs in the bundle's unit, and the label."""

    features: Sequence[float]
    outputs: Sequence[float]
    label: str


class Runnable(NamedTuple):
    """Holds a verified model and what stands around it. `outputs` counts the numbers that it answers for a row; `file` is its name."""

    model: bytes
    file: str
    kind: str
    outputs: int
    offsets: Sequence[float]
    scales: Sequence[float]
    limits: tuple[float, float]
    labels: Sequence[str]
    thresholds: Sequence[float]
    golden: Sequence[Golden]
    tolerance: float


def label_of(score: float, labels: Sequence[str], thresholds: Sequence[float]) -> str:
    """Returns the label of a score: `labels[i]` holds below `thresholds[i]`, the last label above them all."""
    return next((name for name, below in zip(labels, thresholds, strict=False) if score < below), labels[-1])


def pack(runnable: Runnable) -> bytes:
    """Writes a line of JSON and the model's bytes."""
    model, *settings = runnable
    return json.dumps(settings).encode() + b"\n" + model


def unpack(packed: bytes) -> Runnable:
    line, _, model = packed.partition(b"\n")
    runnable = Runnable(model, *json.loads(line))
    low, high = runnable.limits
    return runnable._replace(limits=(low, high), golden=[Golden(*case) for case in runnable.golden])
