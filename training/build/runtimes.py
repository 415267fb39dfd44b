"""Runs a bundle in each runtime that a gateway or a microcontroller may have: rows in, outputs out, and the smallest arena.

Each runtime runs in a process of its own (training.build.gate_child), since a bad model may end it: what it does there is an answer, and
never a failure here. A runtime that this Python cannot have is an exception of its own, RuntimeMissing, which says why.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from edge.models.bundle import BundleError
from edge.models.tflite import RuntimeMissing
from program.child import environment, python_module
from training.build.dense import Floats

RUNTIMES = ("tflite-runtime", "ai-edge-litert", "tflite-micro")
MICRO = RUNTIMES[-1]
ARENA = "arena"
REFUSED, MISSING = 1, 3
"""The child exits with one of these, or with 0."""
_TIMEOUT_SECONDS = 300
_ARENA_STEP = 16
_LARGEST_ARENA = 1 << 24


@dataclass(frozen=True, slots=True)
class RuntimeOutputs:
    """Holds what one runtime makes of the rows: low, score and high of each, shape (rows, 3); or why it cannot."""

    runtime: str
    outputs: Floats | None
    refusal: str = ""


Run = Callable[[str, Path, Floats], RuntimeOutputs]
"""Called as run(runtime, bundle, rows). Raises RuntimeMissing."""


def run_child(runtime: str, directory: Path, rows: Floats) -> RuntimeOutputs:
    """Runs the rows in a process of its own. Raises RuntimeMissing."""
    outputs = _child(runtime, directory, np.array(rows.shape, "<u4").tobytes() + rows.astype("<f8").tobytes())
    if isinstance(outputs, str):
        return RuntimeOutputs(runtime, None, outputs)
    return RuntimeOutputs(f"{runtime} {version(runtime)}", np.frombuffer(outputs, "<f8").reshape(-1, 3))


def arena_child(directory: Path) -> int:
    """Finds the smallest arena in bytes. Raises RuntimeMissing without tflite-micro, BundleError if no arena is large enough."""
    size = _child(ARENA, directory, b"")
    if isinstance(size, str):
        raise BundleError(f"{directory}: {MICRO}: {size}")
    return int(size)


def smallest_arena(runs: Callable[[int], bool]) -> int:
    """Finds the smallest arena in bytes, a multiple of 16, with which the model runs; asks `runs` about two dozen sizes."""
    if not runs(_LARGEST_ARENA):
        raise BundleError(f"needs an arena of more than {_LARGEST_ARENA} bytes in {MICRO}")
    low, high = 0, _LARGEST_ARENA // _ARENA_STEP
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if runs(middle * _ARENA_STEP) else (middle, high)
    return high * _ARENA_STEP


def _child(task: str, directory: Path, rows: bytes) -> bytes | str:
    """Returns what the child wrote, or why it wrote nothing. Raises RuntimeMissing."""
    command = python_module("training.build.gate_child", task, str(directory.resolve()))
    try:
        completed = subprocess.run(command, input=rows, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False, env=environment())
    except subprocess.TimeoutExpired:
        return f"it did not answer within {_TIMEOUT_SECONDS} s"
    reason = completed.stdout.decode(errors="replace").strip() if completed.returncode in (REFUSED, MISSING) else ""
    if completed.returncode == MISSING:
        raise RuntimeMissing(reason)
    if completed.returncode == 0:
        return completed.stdout
    status = f"signal {-completed.returncode}" if completed.returncode < 0 else f"exit status {completed.returncode}"
    return reason or f"it ended with {status}"
