"""Renders the soil model's page in docs/models: figures on climates it never saw, against the rules it has to beat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.models.bundle import Bundle
from training.build.package_bundle import TrainedModel
from training.build.page import render
from training.soil.climates import CLIMATES, CONFIRMATION_CLIMATES, HELD_OUT_CLIMATES, TRAINING_CLIMATES
from training.soil.comparison import Comparison, compare, predict_all
from training.soil.examples import Examples
from training.soil.metrics import LABELS, LIMITS, THRESHOLDS

_TEMPLATE = Path(__file__).with_name("soil.md.j2")


@dataclass(frozen=True, slots=True)
class Figures:
    """Holds all that was measured: on the held-out climates, and on those looked at once."""

    held_out: Comparison
    agreement: float
    """int8 and float give the same verdict in this share of the held-out examples."""
    confusion: tuple[tuple[int, ...], ...]
    """Counts the held-out examples. Rows are of a true verdict, columns of the model's."""
    confirmation: Comparison


def measure_all(trained: TrainedModel, bundle: Bundle, known: Examples, unseen: Examples, untouched: Examples) -> Figures:
    """Measures on `unseen`, the examples of the held-out climates, and on `untouched`, those of the climates looked at once."""
    held_out, confirmation = (predict_all(trained, bundle, examples) for examples in (unseen, untouched))
    return Figures(
        held_out=compare(held_out, bundle, known, unseen),
        agreement=held_out.agreement,
        confusion=held_out.confusion(unseen),
        confirmation=compare(confirmation, bundle, known, untouched),
    )


def page_text(figures: Figures, bundle: Bundle, manifest: Mapping[str, Any]) -> str:
    """Renders the page, without the gate's section."""
    return render(
        _TEMPLATE,
        bundle=bundle,
        model_bytes=bundle.model_file.stat().st_size,
        training=manifest["training"],
        figures=figures,
        held_out=figures.held_out,
        confirmation=figures.confirmation,
        places={
            "held_out": _places(HELD_OUT_CLIMATES),
            "confirmation": _places(CONFIRMATION_CLIMATES),
            "training": _places(TRAINING_CLIMATES),
        },
        labels=LABELS,
        thresholds=THRESHOLDS,
        most_days=LIMITS[1],
    )


def _places(climates: Iterable[str]) -> str:
    return "; ".join(CLIMATES[name].place for name in climates)
