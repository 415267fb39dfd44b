"""Holds the publish gate: a bundle passes if the runtimes load it and decide alike, on its golden cases and on probes around them.

Three runtimes judge: tflite-runtime, ai-edge-litert and tflite-micro. Those that this Python cannot have do not, and the report says which
and why: `judge(Path("models/soil")).passed`. Outputs of int8 models differ between runtimes in the last bits, so decisions are compared:
the labels. A row whose score lies nearer to a threshold than the bundle's own tolerance is left out and counted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.models.bundle import Bundle
from edge.models.tflite import RuntimeMissing
from training.build.dense import Floats
from training.build.runtimes import MICRO, RUNTIMES, Run, RuntimeOutputs, arena_child, run_child

PROBES = 4096
_SEED = 20_611


class NoRuntime(Exception):
    """No runtime is here that could judge the bundle; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateReport:
    """Says whether a bundle passes: it does if there are no `refusals`, each of which is a sentence. `labels` counts the probes' decisions.

    `runtimes` are those that judged, with their versions; `missing` has the others and why they are not here. Without tflite-micro the
    arena is not known.
    """

    bundle: str
    version: str
    sha256: str
    refusals: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    golden: int = 0
    probes: int = 0
    left_out: int = 0
    tolerance: float = 0.0
    labels: Mapping[str, int] | None = None
    largest_difference: float = 0.0
    arena_bytes: int | None = None

    @property
    def passed(self) -> bool:
        return not self.refusals

    def as_json(self) -> str:
        return json.dumps({"passed": self.passed, **asdict(self)}, indent=1)


def judge(directory: Path, run: Run = run_child, arena: Callable[[Path], int] = arena_child, probes: int = PROBES) -> GateReport:
    """Judges the bundle by every runtime that is here. Raises BundleError if there is no bundle, NoRuntime if there is no runtime."""
    bundle = Bundle.load(directory)
    golden = np.array([case.features for case in bundle.golden])
    results, missing = _run_all(run, directory, np.concatenate([golden, probe_rows(bundle, probes)]))
    if not results:
        raise NoRuntime("no runtime can be had here to judge it: " + "; ".join(missing.values()))
    runtimes = tuple(result.runtime for result in results)
    report = GateReport(bundle=bundle.name, version=bundle.version, sha256=bundle.sha256, runtimes=runtimes, missing=missing)
    refusals = [f"{result.runtime} cannot run it: {result.refusal}" for result in results if result.outputs is None]
    if refusals:
        return replace(report, refusals=tuple(refusals))
    outputs = {result.runtime: result.outputs for result in results if result.outputs is not None}
    compared = _compared(report, bundle, outputs)
    return replace(compared, arena_bytes=arena(directory)) if compared.passed and MICRO not in missing else compared


def demand_all(report: GateReport) -> GateReport:
    """Refuses the bundle also if a runtime is not here to judge it."""
    return replace(report, refusals=(*report.refusals, *(f"not judged by {reason}" for reason in report.missing.values())))


def summary(report: GateReport) -> Iterator[str]:
    """Yields sentences about a bundle that passes: who judged it by what, and who did not."""
    decided = f"{report.golden} golden cases and {report.probes - report.left_out} of {report.probes} probes"
    yield f"{report.bundle} {report.version} passes, judged by {', '.join(report.runtimes)}: {decided}."
    yield from (f"Not judged by {reason}." for reason in report.missing.values())
    if report.arena_bytes is not None:
        yield f"{MICRO} needs an arena of {report.arena_bytes} bytes."


def _run_all(run: Run, directory: Path, rows: Floats) -> tuple[list[RuntimeOutputs], dict[str, str]]:
    """Runs the rows in every runtime; returns the outputs, and why the other runtimes are missing."""
    results, missing = list[RuntimeOutputs](), dict[str, str]()
    for runtime in RUNTIMES:
        try:
            results.append(run(runtime, directory, rows))
        except RuntimeMissing as reason:
            missing[runtime] = str(reason)
    return results, missing


def _compared(report: GateReport, bundle: Bundle, outputs: Mapping[str, Floats]) -> GateReport:
    count = len(bundle.golden)
    scores = np.array([each[:, 1] for each in outputs.values()])
    clear = np.all(_distance(scores, bundle) > bundle.tolerance, axis=0)
    clear[:count] = True
    labels = np.array([[bundle.label(float(score)) for score in row] for row in scores])
    decided = {label: int((labels[0, count:][clear[count:]] == label).sum()) for label in bundle.labels}
    refusals = [*_golden_refusals(bundle, outputs, labels), *_probe_refusals(list(outputs), labels[:, count:], clear[count:], decided)]
    return replace(
        report,
        refusals=tuple(refusals),
        golden=count,
        probes=len(clear) - count,
        left_out=int((~clear).sum()),
        tolerance=bundle.tolerance,
        labels=decided,
        largest_difference=float(np.ptp(scores, axis=0)[np.all(scores < 2 * bundle.thresholds[-1], axis=0)].max()),
    )


def _distance(scores: Floats, bundle: Bundle) -> Floats:
    return np.abs(scores[..., None] - np.array(bundle.thresholds)).min(axis=-1)


def _golden_refusals(bundle: Bundle, outputs: Mapping[str, Floats], labels: Any) -> list[str]:
    refusals = []
    for (runtime, rows), decided in zip(outputs.items(), labels, strict=True):
        for number, case in enumerate(bundle.golden):
            if decided[number] != case.label or np.any(np.abs(rows[number] - case.outputs) > bundle.tolerance):
                answer = f"score {rows[number][1]:.3f}, {decided[number]}; it promises {case.outputs[1]:.3f}, {case.label}"
                refusals.append(f"golden case {number}: {runtime} says {answer}")
                break
    return refusals


def _probe_refusals(runtimes: Sequence[str], labels: Any, clear: Any, decided: Mapping[str, int]) -> list[str]:
    split = np.flatnonzero(clear & np.any(labels != labels[0], axis=0))
    unseen = [label for label, count in decided.items() if not count]
    refusals = [f"no probe is decided {' or '.join(unseen)}: nothing would be compared there"] if unseen else []
    if len(split):
        labelled = ", ".join(f"{runtime} {label}" for runtime, label in zip(runtimes, labels[:, split[0]], strict=True))
        refusals.append(f"the runtimes decide differently on {len(split)} of {int(clear.sum())} probes; on the first {labelled}")
    return refusals


def probe_rows(bundle: Bundle, count: int) -> Floats:
    """Draws rows between and around the golden cases, and some from anywhere in the inputs' range: shape (count, inputs), the same every
    time.
    """
    rng = np.random.default_rng(_SEED)
    golden = np.array([case.features for case in bundle.golden])
    first, second = golden[rng.integers(len(golden), size=(2, count))]
    between = first + rng.uniform(0, 1.2, (count, 1)) * (second - first)
    near = between + rng.choice([0.0, 0.05, 0.2], (count, 1)) * rng.standard_normal(first.shape) * bundle.scales
    anywhere = bundle.offsets + rng.uniform(-1, 1, first.shape) * bundle.scales
    return np.where(rng.random((count, 1)) < 0.8, near, anywhere)
