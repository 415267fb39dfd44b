"""Compares the vibration model with the rules it has to beat, on unseen machines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from edge.models import tflite
from edge.models.bundle import Bundle
from edge.models.model import Model
from training.vibration.bearing import FAULTS, Floats
from training.vibration.detection import FAULTY_FROM, STAGES, Detection, detect, stage_name
from training.vibration.run_to_failure import Observations
from training.vibration.train import FALSE_ALARMS, healthy_threshold

MODEL, SQUARES = "**int8 model, as shipped**", "sum of squares of the same inputs, no network"
RMS, RISE, KURTOSIS = "threshold on RMS", "threshold on RMS relative to the machine's own", "threshold on kurtosis"
Scores = Callable[[Observations], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Maps the model and the baselines, by name, to their detection, and holds what else the page says."""

    detections: Mapping[str, Detection]
    runtime: str
    healthy: int
    faulty: int
    """Both count windows."""
    healthy_machines: int
    failing_machines: int
    failing_share: tuple[float, ...]
    """The model calls this share of the windows of each stage failing."""

    @property
    def model(self) -> Detection:
        return self.detections[MODEL]

    @property
    def refused(self) -> bool:
        """Is true if the model does not beat the threshold on RMS, in AUC and in recall at its threshold."""
        other = self.detections[RMS]
        return self.model.auc <= other.auc or self.model.recall <= other.recall

    @property
    def shortcomings(self) -> Mapping[str, list[str]]:
        """Maps a baseline to words for that in which it is at least as good as the model."""
        by_baseline = {name: _better(self.detections[name], self.model) for name in (RMS, RISE, KURTOSIS, SQUARES)}
        return {name: words for name, words in by_baseline.items() if words}


def compare(bundle: Bundle, validation: Observations, healthy: Observations, failing: Observations) -> Comparison:
    """Sets every threshold on `validation` by the same rule; measures everything on the other two, on which nothing was chosen."""
    runtime = tflite.load()
    model = Model(bundle.runnable(), runtime)
    rules: dict[str, Scores] = {
        MODEL: lambda part: np.asarray(model.run(part.features)[:, 1]),
        RMS: lambda part: part.rms,
        RISE: lambda part: part.rise,
        KURTOSIS: lambda part: part.kurtosis,
        SQUARES: lambda part: np.asarray((((part.features - bundle.offsets) / bundle.scales) ** 2).mean(axis=1)),
    }
    scores = rules[MODEL](failing)
    stages = [(failing.severity >= low) & (failing.severity < high) for low, high in STAGES]
    return Comparison(
        detections={name: _detection(rule, validation, healthy, failing) for name, rule in rules.items()},
        runtime=runtime.name,
        healthy=len(healthy.hours) + int((failing.severity == 0).sum()),
        faulty=int((failing.severity >= FAULTY_FROM).sum()),
        healthy_machines=len(np.unique(healthy.machine)),
        failing_machines=len(np.unique(failing.machine)),
        failing_share=tuple(float((scores[rows] > bundle.thresholds[-1]).mean()) for rows in stages),
    )


def _detection(rule: Scores, validation: Observations, healthy: Observations, failing: Observations) -> Detection:
    return detect(healthy, failing, (rule(healthy), rule(failing)), healthy_threshold(rule(validation)), FALSE_ALARMS)


def _better(other: Detection, ours: Detection) -> list[str]:
    return [
        *(["AUC"] if other.auc >= ours.auc else []),
        *(["what is found"] if other.recall >= ours.recall else []),
        *(["what is found at the same false alarms"] if other.recall_at_equal_alarms >= ours.recall_at_equal_alarms else []),
        *(["false alarms"] if other.false_alarms < ours.false_alarms else []),
        *(["warning time"] if other.warning_hours > ours.warning_hours else []),
        *(
            f"severity {stage_name(stage)}"
            for stage, a, b in zip(STAGES, other.recall_by_stage, ours.recall_by_stage, strict=True)
            if a > b
        ),
        *(f"{fault} faults" for fault, a, b in zip(FAULTS, other.recall_by_fault, ours.recall_by_fault, strict=True) if a > b),
    ]
