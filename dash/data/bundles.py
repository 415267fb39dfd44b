"""Reads what a verdict of a model that comes with TinyBeam means from its bundle: labels, limits, and what its inputs are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_BAND = re.compile(r"band(\d+)$")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model: its labels, the worst last; above each threshold the label of its place holds, where scores rise with wear."""

    name: str
    sha256: str
    labels: tuple[str, ...]
    thresholds: tuple[float, ...]
    inputs: tuple[str, ...]
    """As a person names them: the bands of a spectrum by their frequencies."""


@cache
def shipped() -> Mapping[str, Bundle]:
    """Returns the bundles by the name of their model."""
    found = (folder / "manifest.json" for folder in files("models").iterdir() if folder.is_dir())
    bundles = (_bundle(json.loads(file.read_text())) for file in found if file.is_file())
    return {bundle.name: bundle for bundle in bundles}


def _bundle(manifest: Mapping[str, Any]) -> Bundle:
    score, recipe = manifest["score"], manifest["recipe"]
    rises = score.get("best") == score["labels"][0]
    return Bundle(
        name=manifest["name"],
        sha256=manifest["sha256"],
        labels=tuple(score["labels"] if rises else reversed(score["labels"])),
        thresholds=tuple(score["thresholds"]) if rises else (),
        inputs=tuple(_named(name, recipe.get("spectrum", {}).get("edges_hz", ())) for name in recipe["inputs"]),
    )


def _named(name: str, edges: tuple[float, ...]) -> str:
    band = _BAND.search(name)
    if band and int(band[1]) + 1 < len(edges):
        low, high = edges[int(band[1]) : int(band[1]) + 2]
        return f"{low:g} to {high:g} Hz"
    return name.replace("_", " ")
