"""The publish gate: a bundle passes if three runtimes load it and decide alike, on its golden cases and on probes around them.

Each runtime runs in a process of its own, since a bad model may end it. Outputs of int8 models differ between runtimes in the last bits, so
decisions are compared: the labels. A row whose score lies nearer to a threshold than the bundle's own tolerance is left out and counted.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from edge.models.bundle import Bundle, BundleError
from program.child import environment, python_module
from training.build.dense import Floats

RUNTIMES = ("tflite-runtime", "ai-edge-litert", "tflite-micro")
MICRO = RUNTIMES[-1]
PROBES = 4096
_SEED = 20_611
_TIMEOUT_SECONDS = 300
_GRAIN = 16
_LARGEST_ARENA = 1 << 24
ARENA = "arena"
_REFUSED, _MISSING = 1, 3


class Unjudged(Exception):
    """The gate could not be held: a runtime is missing here. Says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one runtime said: low, score and high for each row, shape (rows, 3); or why it could not."""

    runtime: str
    outputs: Floats | None
    refusal: str = ""


Run = Callable[[str, Path, Floats], Answer]
"""Called as run(runtime, bundle, rows). Raises Unjudged."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found. It passes if there are no `refusals`; each is a sentence. `labels` counts the probes' decisions."""

    bundle: str
    version: str
    sha256: str
    refusals: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    golden: int = 0
    probes: int = 0
    left_out: int = 0
    tolerance: float = 0.0
    labels: Mapping[str, int] | None = None
    largest_difference: float = 0.0
    arena_bytes: int = 0

    @property
    def passed(self) -> bool:
        return not self.refusals

    def as_json(self) -> str:
        return json.dumps({"passed": self.passed, **asdict(self)}, indent=1)


def judge(directory: Path, run: Run | None = None, arena: Callable[[Path], int] | None = None, probes: int = PROBES) -> Verdict:
    """Holds the gate. Raises BundleError if there is no bundle to judge, Unjudged if a runtime is missing."""
    run, arena = run or run_child, arena or arena_child
    bundle = Bundle.load(directory)
    golden = np.array([case.features for case in bundle.golden])
    rows = np.concatenate([golden, probe_rows(bundle, probes)])
    answers = [run(runtime, directory, rows) for runtime in RUNTIMES]
    verdict = Verdict(bundle.name, bundle.version, bundle.sha256)
    refusals = [f"{answer.runtime} cannot run it: {answer.refusal}" for answer in answers if answer.outputs is None]
    if refusals:
        return replace(verdict, refusals=tuple(refusals))
    outputs = {answer.runtime: answer.outputs for answer in answers if answer.outputs is not None}
    return _compared(verdict, bundle, outputs, lambda: arena(directory))


def _compared(verdict: Verdict, bundle: Bundle, outputs: Mapping[str, Floats], arena: Callable[[], int]) -> Verdict:
    count = len(bundle.golden)
    scores = np.array([each[:, 1] for each in outputs.values()])
    clear = np.all(_distance(scores, bundle) > bundle.tolerance, axis=0)
    clear[:count] = True
    labels = np.array([[bundle.label(float(score)) for score in row] for row in scores])
    seen = {label: int((labels[0, count:][clear[count:]] == label).sum()) for label in bundle.labels}
    refusals = [*_golden_refusals(bundle, outputs, labels), *_probe_refusals(list(outputs), labels[:, count:], clear[count:], seen)]
    return replace(
        verdict,
        refusals=tuple(refusals),
        runtimes=tuple(outputs),
        golden=count,
        probes=len(clear) - count,
        left_out=int((~clear).sum()),
        tolerance=bundle.tolerance,
        labels=seen,
        largest_difference=float(np.ptp(scores, axis=0)[np.all(scores < 2 * bundle.thresholds[-1], axis=0)].max()),
        arena_bytes=0 if refusals else arena(),
    )


def _distance(scores: Floats, bundle: Bundle) -> Floats:
    return np.abs(scores[..., None] - np.array(bundle.thresholds)).min(axis=-1)


def _golden_refusals(bundle: Bundle, outputs: Mapping[str, Floats], labels: Any) -> list[str]:
    found = []
    for (runtime, said), decided in zip(outputs.items(), labels, strict=True):
        for number, case in enumerate(bundle.golden):
            if decided[number] != case.label or np.any(np.abs(said[number] - case.outputs) > bundle.tolerance):
                told = f"score {said[number][1]:.3f}, {decided[number]}; it promises {case.outputs[1]:.3f}, {case.label}"
                found.append(f"golden case {number}: {runtime} says {told}")
                break
    return found


def _probe_refusals(runtimes: Sequence[str], labels: Any, clear: Any, seen: Mapping[str, int]) -> list[str]:
    split = np.flatnonzero(clear & np.any(labels != labels[0], axis=0))
    unseen = [label for label, count in seen.items() if not count]
    found = [f"no probe is decided {' or '.join(unseen)}: nothing would be compared there"] if unseen else []
    if len(split):
        said = ", ".join(f"{runtime} {label}" for runtime, label in zip(runtimes, labels[:, split[0]], strict=True))
        found.append(f"the runtimes decide differently on {len(split)} of {int(clear.sum())} probes; on the first {said}")
    return found


def probe_rows(bundle: Bundle, count: int) -> Floats:
    """Rows between and around the golden cases, and some from anywhere in the inputs' range: shape (count, inputs), the same every time."""
    rng = np.random.default_rng(_SEED)
    golden = np.array([case.features for case in bundle.golden])
    first, second = golden[rng.integers(len(golden), size=(2, count))]
    between = first + rng.uniform(0, 1.2, (count, 1)) * (second - first)
    near = between + rng.choice([0.0, 0.05, 0.2], (count, 1)) * rng.standard_normal(first.shape) * bundle.scales
    anywhere = bundle.offsets + rng.uniform(-1, 1, first.shape) * bundle.scales
    return np.where(rng.random((count, 1)) < 0.8, near, anywhere)


def smallest_arena(runs: Callable[[int], bool]) -> int:
    """The smallest arena in bytes, a multiple of 16, with which the model runs; `runs` may be asked about two dozen sizes."""
    if not runs(_LARGEST_ARENA):
        raise BundleError(f"needs an arena of more than {_LARGEST_ARENA} bytes in {MICRO}")
    low, high = 0, _LARGEST_ARENA // _GRAIN
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if runs(middle * _GRAIN) else (middle, high)
    return high * _GRAIN


def run_child(runtime: str, directory: Path, rows: Floats) -> Answer:
    """Runs the rows in a process of its own. Raises Unjudged if the runtime is missing."""
    done = _child(runtime, directory, np.array(rows.shape, "<u4").tobytes() + rows.astype("<f8").tobytes())
    if isinstance(done, str):
        return Answer(runtime, None, done)
    return Answer(f"{runtime} {version(runtime)}", np.frombuffer(done, "<f8").reshape(-1, 3))


def arena_child(directory: Path) -> int:
    """The smallest arena in bytes. Raises Unjudged if tflite-micro is missing, BundleError if no arena is large enough."""
    done = _child(ARENA, directory, b"")
    if isinstance(done, str):
        raise BundleError(f"{directory}: {MICRO}: {done}")
    return int(done)


def _child(task: str, directory: Path, given: bytes) -> bytes | str:
    """What the child answers, or why it does not."""
    command = python_module("training.build.gate_child", task, str(directory.resolve()))
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False, env=environment())
    except subprocess.TimeoutExpired:
        return f"it did not answer within {_TIMEOUT_SECONDS} s"
    told = done.stdout.decode(errors="replace").strip() if done.returncode in (_REFUSED, _MISSING) else ""
    if done.returncode == _MISSING:
        raise Unjudged(f"{MICRO if task == ARENA else task} cannot be had on this Python: {told}")
    if done.returncode == 0:
        return done.stdout
    return told or f"it ended with {f'signal {-done.returncode}' if done.returncode < 0 else f'exit status {done.returncode}'}"
