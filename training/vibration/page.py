"""Renders the vibration model's page in docs/models: figures on unseen machines, against the rules it has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge.models.bundle import Bundle
from training.build.page import render
from training.vibration.comparison import Comparison
from training.vibration.detection import FAULTY_FROM, STAGES, stage_name

_TEMPLATE = Path(__file__).with_name("vibration.md.j2")


def page_text(comparison: Comparison, bundle: Bundle, manifest: Mapping[str, Any]) -> str:
    """Renders the page, without the sections of the gate and of recordings."""
    return render(
        _TEMPLATE,
        bundle=bundle,
        model_bytes=bundle.model_file.stat().st_size,
        training=manifest["training"],
        spectrum=manifest["recipe"]["spectrum"],
        comparison=comparison,
        faulty_from=FAULTY_FROM,
        stages=[stage_name(stage) for stage in STAGES],
        faults=["outer race", "inner race", "rolling element"],
    )
