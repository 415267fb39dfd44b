"""Bundles: what loads, and which file and reason an error names."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.models.bundle import Bundle, BundleError

SOIL = Path(__file__).parents[3] / "models" / "soil"


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
        (lambda m: m.update(ranges={"rain": [0, 1]}), "ranges: 'rain' is not one of its channels"),
        (lambda m: m.update(ranges={"moisture": [2, 3]}), "no value of moisture in m3/m3 is possible from 2 to 3"),
        (lambda m: m.update(ranges={"moisture": [0]}), "manifest.json"),
        (lambda m: m["recipe"].update(inputs=["nothing"]), "recipe: input 'nothing'"),
        (lambda m: m["normalisation"]["offsets"].pop(), "offsets and scales"),
        (lambda m: m["normalisation"]["scales"].__setitem__(0, 0.0), "scales must be > 0"),
        (lambda m: m["normalisation"]["scales"].__setitem__(0, float("nan")), "not finite"),
        (lambda m: m["score"]["labels"].pop(), "one label more"),
        (lambda m: m["score"]["thresholds"].reverse(), "ascending"),
        (lambda m: m["score"].update(kind="vote"), "score.kind is 'vote'"),
        (lambda m: m["score"].update(best="great"), "must be labels"),
        (lambda m: m["score"].update(severities={"great": "info"}), "must be labels"),
        (lambda m: m["score"].update(severities={"now": "deadly"}), "must be info, warning, critical"),
        (lambda m: m["score"].update(severities=["now"]), "manifest.json"),
        (lambda m: m["score"].update(hysteresis=-0.1), "hysteresis must not be negative"),
        (lambda m: m["score"].update(hysteresis=3.0), "less than the thresholds lie apart"),
        (lambda m: m["score"].update(hysteresis=float("nan")), "hysteresis"),
        (lambda m: m["golden"].update(cases=[]), "golden has no cases"),
        (lambda m: m["golden"]["cases"][0]["features"].pop(), "a golden case needs"),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(copy: Path, change: Callable[[dict[str, Any]], None], reason: str) -> None:
    edit(copy, change)
    with pytest.raises(BundleError, match=reason) as caught:
        Bundle.load(copy)
    assert "manifest.json" in str(caught.value)


def test_a_manifest_that_says_no_more_means_what_it_always_meant() -> None:
    bundle = Bundle.load(SOIL)
    assert (bundle.kind, bundle.outputs, bundle.normal_label, bundle.hysteresis) == ("quantiles", 3, "fine", 0.0)
    assert bundle.severities == {"now": "warning", "soon": "warning", "fine": "info"}


def test_severities_and_the_normal_label_are_the_manifests(copy: Path) -> None:
    edit(copy, lambda m: m["score"].update(best="now", severities={"fine": "critical"}))
    bundle = Bundle.load(copy)
    assert (bundle.normal_label, bundle.severities) == ("now", {"now": "info", "soon": "warning", "fine": "critical"})


LABELS = ("a", "b", "c", "d")
SCORES = st.floats(-1, 11)


def ladder(normal_label: str, hysteresis: float) -> Bundle:
    return replace(Bundle.load(SOIL), labels=LABELS, thresholds=(2.0, 5.0, 8.0), normal_label=normal_label, hysteresis=hysteresis)


def test_a_label_gets_worse_at_the_threshold_and_better_beyond_the_hysteresis() -> None:
    rising = ladder("a", 1.0)
    assert [rising.label_with_hysteresis(score, "a") for score in (1.9, 2.0, 5.0, 9.0)] == ["a", "b", "c", "d"]
    assert [rising.label_with_hysteresis(score, "c") for score in (4.9, 4.0, 3.9, 2.0, 1.0, 0.9)] == ["c", "c", "b", "b", "b", "a"]
    falling = ladder("d", 1.0)
    assert [falling.label_with_hysteresis(score, "d") for score in (8.0, 7.9, 1.9)] == ["d", "c", "a"]
    assert [falling.label_with_hysteresis(score, "b") for score in (5.0, 5.9, 6.0, 8.9, 9.0)] == ["b", "b", "c", "c", "d"]
    assert ladder("b", 1.0).label_with_hysteresis(2.5, "a") == "a"
    assert ladder("b", 1.0).label_with_hysteresis(4.5, "d") == "c"


def test_a_label_that_the_model_no_longer_knows_is_forgotten() -> None:
    assert ladder("a", 1.0).label_with_hysteresis(4.9, "gone") == "b"


@given(st.sampled_from(LABELS), st.floats(0, 2.9), SCORES, st.sampled_from(LABELS))
def test_a_label_stays_and_is_never_better_than_the_score(normal_label: str, hysteresis: float, score: float, before: str) -> None:
    bundle = ladder(normal_label, hysteresis)
    label = bundle.label_with_hysteresis(score, before)
    assert bundle.label_with_hysteresis(score, label) == label
    raw, found, top = (LABELS.index(name) for name in (bundle.label(score), label, normal_label))
    was = LABELS.index(before)
    assert min(raw, was) <= found <= max(raw, was)
    assert abs(found - top) >= abs(raw - top)
    assert hysteresis or label == bundle.label(score)


@given(
    st.sampled_from(LABELS), st.floats(0.1, 2.9), st.sampled_from([2.0, 5.0, 8.0]), st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=40)
)
def test_a_score_that_trembles_about_a_threshold_changes_the_label_once(
    normal_label: str, hysteresis: float, threshold: float, trembling: list[float]
) -> None:
    bundle, labels = ladder(normal_label, hysteresis), [normal_label]
    for part in trembling:
        labels.append(bundle.label_with_hysteresis(threshold + part * hysteresis, labels[-1]))
    changes = sum(before != after for before, after in pairwise(labels[1:]))
    assert changes <= 1


@given(st.sampled_from(LABELS), st.floats(0, 2.9), st.sampled_from(LABELS), SCORES, SCORES)
def test_a_greater_score_never_gives_a_lower_label(normal_label: str, hysteresis: float, before: str, score: float, other: float) -> None:
    bundle = ladder(normal_label, hysteresis)
    low, high = (LABELS.index(bundle.label_with_hysteresis(each, before)) for each in sorted((score, other)))
    assert low <= high
