"""Bundles: what loads, and which file and reason an error names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.bundle import Bundle, BundleError

SOIL = Path(__file__).parents[2] / "models" / "soil"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOIL, tmp_path / "soil"))


def edit(bundle: Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    change(manifest)
    (bundle / "manifest.json").write_text(json.dumps(manifest))


def test_the_committed_soil_bundle_loads() -> None:
    bundle = Bundle.load(SOIL)
    assert (bundle.name, bundle.unit, bundle.channels) == ("soil", "d", ("moisture", "temperature"))
    assert bundle.labels == ("now", "soon", "fine")


@pytest.mark.parametrize(("score", "label"), [(0.0, "now"), (1.99, "now"), (2.0, "soon"), (4.99, "soon"), (5.0, "fine"), (14.0, "fine")])
def test_the_thresholds_decide_the_label(score: float, label: str) -> None:
    assert Bundle.load(SOIL).label(score) == label


@pytest.mark.parametrize("file", ["model.tflite", "manifest.json"])
def test_a_missing_file_is_named(copy: Path, file: str) -> None:
    (copy / file).unlink()
    with pytest.raises(BundleError, match=rf"{file}: No such file"):
        Bundle.load(copy)


def test_a_flipped_bit_in_the_model_is_found(copy: Path) -> None:
    model = bytearray((copy / "model.tflite").read_bytes())
    model[len(model) // 2] ^= 1
    (copy / "model.tflite").write_bytes(model)
    with pytest.raises(BundleError, match=r"model\.tflite: SHA-256 is"):
        Bundle.load(copy)


def test_a_manifest_that_is_not_json_is_named(copy: Path) -> None:
    (copy / "manifest.json").write_bytes(b"\xff{")
    with pytest.raises(BundleError, match=r"manifest\.json: not JSON"):
        Bundle.load(copy)


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": "tinybeam-bundle/99"}'])
def test_another_format_is_refused(copy: Path, text: str) -> None:
    (copy / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match="format is"):
        Bundle.load(copy)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: m.pop("unit"), "unit is missing"),
        (lambda m: m.update(name=""), "name must be a text"),
        (lambda m: m.update(channels=["moisture"]), "manifest.json"),
        (lambda m: m["recipe"].update(inputs=["nothing"]), "recipe: input 'nothing'"),
        (lambda m: m["normalisation"]["offsets"].pop(), "offsets and scales"),
        (lambda m: m["normalisation"]["scales"].__setitem__(0, 0.0), "scales must be > 0"),
        (lambda m: m["normalisation"]["scales"].__setitem__(0, float("nan")), "not finite"),
        (lambda m: m["score"]["labels"].pop(), "one label more"),
        (lambda m: m["score"]["thresholds"].reverse(), "ascending"),
        (lambda m: m["golden"].update(cases=[]), "golden has no cases"),
        (lambda m: m["golden"]["cases"][0]["features"].pop(), "a golden case needs"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(copy: Path, change: Callable[[dict[str, Any]], None], reason: str) -> None:
    edit(copy, change)
    with pytest.raises(BundleError, match=reason) as caught:
        Bundle.load(copy)
    assert "manifest.json" in str(caught.value)
