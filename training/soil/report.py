"""The soil model's page in docs/models/: figures on climates it never saw, against the rules it has to beat. Written, never edited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.models import tflite
from edge.models.bundle import Bundle
from edge.models.child import Model
from training.build.dense import Floats, Schedule, fit, predict
from training.soil.climates import CLIMATES, CONFIRMATION_CLIMATES, HELD_OUT_CLIMATES, TRAINING_CLIMATES
from training.soil.examples import Examples
from training.soil.metrics import LABELS, THRESHOLDS, Metrics, ThresholdRule, measure, verdicts
from training.soil.recipe import RECIPE
from training.soil.train import LIMITS, Trained

MODEL, FLOAT, LINEAR = "**int8 model, as shipped**", "the same network in float", "linear quantile model, same features"
RAW_RULE, RELATIVE_RULE = "threshold rule on moisture", "threshold rule on moisture relative to the wettest seen"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Measures by the name of what was measured, and what else the page says."""

    measures: Mapping[str, Metrics]
    agreement: float
    confusion: np.ndarray[Any, np.dtype[np.int64]]
    runtime: str
    examples: int

    @property
    def shortcomings(self) -> Mapping[str, list[str]]:
        """Baseline -> the measures in which the model is not better than it; empty if it beats every baseline in every one."""
        ours = self.measures[MODEL]
        found = {name: worse(ours, self.measures[name]) for name in (RAW_RULE, RELATIVE_RULE, LINEAR)}
        return {name: said for name, said in found.items() if said}


def worse(ours: Metrics, other: Metrics) -> list[str]:
    """In what we are not better than the other: error, error in the decisive range, right verdicts."""
    better = {
        "error": ours.error < other.error,
        "error in the decisive range": ours.decisive_error < other.decisive_error,
        "right verdicts": ours.accuracy > other.accuracy,
    }
    return [name for name, held in better.items() if not held]


def compare(trained: Trained, bundle: Bundle, known: Examples, unseen: Examples) -> Comparison:
    """Tunes the baselines on `known` and measures everything on `unseen`."""
    runtime = tflite.load()
    model = np.asarray(Model(bundle, runtime).run(unseen.features))
    floating = predict(trained.network, trained.normalised(unseen.features).astype(np.float32))
    guesses = {MODEL: model, FLOAT: floating, **baselines(bundle, known, unseen)}
    said, true = verdicts(model[:, 1]), verdicts(unseen.days)
    return Comparison(
        measures={name: measure(guess, unseen.days, LIMITS) for name, guess in guesses.items()},
        agreement=float((said == verdicts(np.sort(floating, axis=1)[:, 1])).mean()),
        confusion=np.array(
            [[int(((true == row) & (said == column)).sum()) for column in range(len(LABELS))] for row in range(len(LABELS))]
        ),
        runtime=runtime.name,
        examples=len(unseen.days),
    )


def write_page(page: Path, comparison: Comparison, confirmation: Comparison, bundle: Bundle, manifest: Mapping[str, Any]) -> None:
    """Writes the page. Figures come from the comparisons alone: on the held-out climates, and on those looked at once."""
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(_page(comparison, confirmation, bundle, manifest), encoding="utf-8")


def baselines(bundle: Bundle, known: Examples, unseen: Examples) -> dict[str, Floats]:
    """What the rules to beat, tuned on `known`, say about `unseen`."""
    inputs = [np.clip((part.features - bundle.offsets) / bundle.scales, -1.0, 1.0) for part in (known, unseen)]
    linear = predict(fit(inputs[0], known.days, (), 0, Schedule(epochs=20)), inputs[1].astype(np.float32))
    rules = {name: _rule(column, known, unseen) for name, column in ((RAW_RULE, "now"), (RELATIVE_RULE, "dryness"))}
    return {LINEAR: linear, **rules}


def _rule(column: str, known: Examples, unseen: Examples) -> Floats:
    return ThresholdRule.tuned(known.features, known.days, RECIPE["inputs"].index(column)).predict(unseen.features)


def _page(comparison: Comparison, confirmation: Comparison, bundle: Bundle, manifest: Mapping[str, Any]) -> str:
    training = manifest["training"]
    held_out, confirmed_in, trained_in = map(_places, (HELD_OUT_CLIMATES, CONFIRMATION_CLIMATES, TRAINING_CLIMATES))
    widths = " and ".join(map(str, training["hidden"]))
    best = comparison.measures[MODEL]
    return f"""<!-- Written by `tinybeam train soil`; do not edit. -->

# Soil: days until stress

`models/soil` {bundle.version}, SHA-256 `{bundle.sha256}`, {bundle.model_file.stat().st_size} bytes, full int8.

From the history of one probe's moisture and temperature the model says how many days remain until the crop
runs short of water: the median is the score, the width from the 10 % to the 90 % quantile the uncertainty.
Verdicts: `now` below {THRESHOLDS[0]:g} days, `soon` below {THRESHOLDS[1]:g}, else `fine`. Days are counted up to {LIMITS[1]:g}.

## How it does on climates it never saw

{comparison.examples} examples in {held_out}; run by {comparison.runtime}.
Errors are mean absolute errors in days. The decisive range is where truth is below 5 days.

{_table(comparison.measures)}

{_verdict(comparison)}

These figures flatter the model: it was never trained on these climates, but its features, size and interval, and how the teacher is
set (where the probe sits, what counts as stress, how wet a season begins), were chosen while looking at errors there.

## On climates that had no part in any choice

{confirmation.examples} examples in {confirmed_in}, which were looked at once, when everything was chosen.

{_table(confirmation.measures)}

{_verdict(confirmation)}
The package ships no further dry climate, so nothing here confirms the figures of Tunis.

## What it is not good at

`soon` is hardly a verdict of its own (see below): between `fine` and `now` the weather decides, which no probe knows.
A rule on moisture relative to the wettest seen is not far behind, and finds more of the `now` cases where rain is frequent: the score is
a median, so the model says `fine` where it expects rain, and the decisive range holds only the cases where the rain did not come.
What the model adds is days, and how sure they are: weigh the uncertainty too where a missed stress costs more than a false alarm.

int8 and float give the same verdict in {comparison.agreement:.1%} of the examples.

## The interval

It promises 80 %: truth lay inside in {best.inside:.1%}, below in {best.below:.1%}, above in {best.above:.1%};
mean width {best.width:.1f} days. Truth at its limits, 0 or {LIMITS[1]:g}, is inside an interval that ends there, so more than 80 %
is to be expected.
{_calibration(best)}

## Verdicts

Rows: what came. Columns: what the model said.

{_confusion(comparison.confusion)}

## What the truth is

The teacher is {training["teacher"]}, a crop-water model, on real daily weather. Truth is what came: the time from a moment until the
root zone has lost half of the water that the crop can use (FAO-56's p = 0.5; a probe does not know the crop), with the weather that
followed and no irrigation in between. Rain that nobody could foresee is therefore part of the error, and of the interval. Simulated
farmers either wait for stress, and those days are examples, or water earlier, and those days are history only.

The probe reports the mean moisture of the root zone with an offset (sd 0.008), a gain (sd 4 %) and noise; it is not told
soil, crop, place or date. Seasons begin between 92 and 100 % of the available water: **a probe is watered in**, and that is
how the model learns the soil's field capacity. Put into dry soil, it errs until the first soaking rain or irrigation.
Soils with the same field capacity but another wilting point look alike until they have dried out once.

## How it was made

{training["seasons"]} seasons in {trained_in}; {len(bundle.recipe.inputs)} features, hidden layers of {widths},
pinball loss at 10, 50 and 90 %, {training["epochs"]} epochs, seed {training["seed"]}, numpy {training["numpy"]}.
Rebuild with `tinybeam train soil`; the same seed gives the same bytes on the same machine,
whatever `--workers` and the number of processors. Another kind of processor may give other bytes.
"""


def _places(climates: Iterable[str]) -> str:
    return "; ".join(CLIMATES[name].place for name in climates)


def _table(measures: Mapping[str, Metrics]) -> str:
    head = "| | error | error, decisive range | right verdict | recall of now | precision of now |\n|---|--:|--:|--:|--:|--:|"
    rows = [
        f"| {name} | {m.error:.2f} | {m.decisive_error:.2f} | {m.accuracy:.1%} | {m.recall_now:.1%} | {_or_dash(m.precision_now)} |"
        for name, m in measures.items()
    ]
    return "\n".join([head, *rows])


def _verdict(comparison: Comparison) -> str:
    if not comparison.shortcomings:
        return "The model beats every baseline in error, in error in the decisive range, and in right verdicts."
    said = "; ".join(f"the {name} in {' and in '.join(measures)}" for name, measures in comparison.shortcomings.items())
    return f"**The model does not beat {said}.** In all else it beats every baseline."


def _calibration(best: Metrics) -> str:
    if best.inside < 0.75:
        return "The interval is too narrow in these climates: they differ from the ones the model was trained on."
    if best.below > 2 * best.above + 0.02:
        return "What it misses lies below: in climates never seen, stress comes sooner than expected more often than later."
    return "Its tails are even."


def _confusion(counts: np.ndarray[Any, np.dtype[np.int64]]) -> str:
    head = "| | " + " | ".join(LABELS) + " |\n|---|" + "--:|" * len(LABELS)
    return "\n".join(
        [head, *(f"| {label} | " + " | ".join(map(str, row)) + " |" for label, row in zip(LABELS, counts.tolist(), strict=True))]
    )


def _or_dash(share: float) -> str:
    return "-" if np.isnan(share) else f"{share:.1%}"
