"""Makes releases that should not run: signed by two of three, alike in three runtimes, and wrong all the same; or damaged on their way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge.models.bundle import MANIFEST_FILE
from edge.models.runnable import label_of

_HASTY = [13.0, 13.9]


def hasty(bundle: Path, to: Path) -> Path:
    """Copies a bundle that then says `now` of whatever has less than thirteen days, and `soon` of much else."""

    def change(manifest: dict[str, Any]) -> None:
        manifest["score"]["thresholds"] = _HASTY
        for case in manifest["golden"]["cases"]:
            case["label"] = label_of(case["outputs"][1], manifest["score"]["labels"], _HASTY)

    return _copy(bundle, to, "3.0.0", change)


def renamed(bundle: Path, to: Path) -> Path:
    """Copies a bundle under another version."""
    return _copy(bundle, to, "4.0.0", lambda _: None)


def _copy(bundle: Path, to: Path, version: str, change: Callable[[dict[str, Any]], None]) -> Path:
    shutil.copytree(bundle, to)
    file = to / MANIFEST_FILE
    manifest = json.loads(file.read_text())
    manifest["version"] = version
    change(manifest)
    file.write_text(json.dumps(manifest, indent=1) + "\n")
    return to
