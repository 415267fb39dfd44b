"""Constants: what a model is told of a device comes with the model, and reaches its features as a channel does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.models import constants
from edge.models.bundle import Bundle, BundleError
from edge.models.constants import Constants
from edge.models.infer import ModelRunner
from edge.models.scorer import Score
from edge.models.slot import LoadedModel, Slot
from edge.reading import Reading
from edge.store.section import Section
from edge.window import Window
from schemas.envelope import micros

SOIL = Path(__file__).parents[3] / "models" / "soil"
KNOWN = {"soil-01": {"available": 0.12}}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOIL, tmp_path / "soil"))


def declare(bundle: Path, declared: Any, listed: str | None) -> Path:
    """Makes the model's last input a step on a constant."""
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["constants"] = declared
    manifest["recipe"]["steps"].append({"name": "water", "op": "last", "of": ["available"]})
    manifest["recipe"]["inputs"][-1] = "water"
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    if listed is not None:
        (bundle / "constants.json").write_text(listed)
    return bundle


def test_a_device_has_its_own_and_another_what_the_manifest_says(copy: Path) -> None:
    known = Bundle.load(declare(copy, {"available": 0.15}, json.dumps(KNOWN))).constants
    assert known.of("soil-01") == {"available": 0.12}
    assert known.of("soil-99") == {"available": 0.15}


def test_a_bundle_without_constants_tells_nothing() -> None:
    assert Bundle.load(SOIL).constants == Constants()


@pytest.mark.parametrize(
    ("declared", "listed", "reason"),
    [
        ({"available": 0.15}, None, r"constants\.json: No such file"),
        ({"available": 0.15}, "[]", r"constants\.json"),
        ({"available": 0.15}, "{", r"constants\.json"),
        ({"available": 0.15}, '{"soil-01": {"avaliable": 0.1}}', "'avaliable', which is no constant of the manifest"),
        ({"available": 0.15}, '{"soil-01": {"available": NaN}}', "soil-01 has a constant that is no finite number"),
        ({"available": 0.15}, '{"soil-01": {"available": "wet"}}', r"constants\.json"),
        ({"available": float("nan")}, "{}", "the manifest has a constant that is no finite number"),
        ({"available": 0.15, "moisture": 0.2}, "{}", "'moisture' is one of its channels"),
        ({}, "{}", "'available', which is neither a channel nor an earlier step"),
    ],
)
def test_what_makes_no_sense_is_refused(copy: Path, declared: Any, listed: str | None, reason: str) -> None:
    with pytest.raises(BundleError, match=reason):
        Bundle.load(declare(copy, declared, listed))


def test_a_file_that_is_too_large_is_not_read(copy: Path) -> None:
    declare(copy, {"available": 0.15}, "{}")
    with (copy / "constants.json").open("wb") as file:
        file.truncate(constants.MAX_BYTES + 1)
    with pytest.raises(BundleError, match="larger than"):
        Bundle.load(copy)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    known = Constants({"available": 0.15}, KNOWN)
    constants.write(tmp_path, known)
    assert constants.read(tmp_path, known.defaults, ()) == known


class Listener:
    """Notes the features that it is to score."""

    runtime = ""

    def __init__(self) -> None:
        self.heard: list[Sequence[float]] = []

    def score(self, name: str, features: Sequence[Sequence[float]]) -> list[Score]:
        self.heard += features
        return [Score("fine", 14.0, 0.0) for _ in features]


@pytest.mark.parametrize(("device", "water"), [("soil-01", 0.12), ("soil-99", 0.15)])
def test_the_model_sees_what_it_is_told_of_the_device(copy: Path, device: str, water: float) -> None:
    bundle, listener = Bundle.load(declare(copy, {"available": 0.15}, json.dumps(KNOWN))), Listener()
    runner, slot = ModelRunner(Section), Slot(LoadedModel(bundle, listener))
    windows = [window(device, hour) for hour in range(30)]
    assert len(runner.infer(slot, windows)) == len(listener.heard) > 0
    assert {features[-1] for features in listener.heard} == {water}


def window(device: str, hour: int) -> Window:
    start = micros(datetime(2026, 5, 1, tzinfo=UTC) + timedelta(hours=hour))
    filled = Window(device, start, 3600, late=False)
    filled.add(Reading(device, start, start, "synced", None, hour, True, {"moisture": 0.3, "temperature": 18.0}))
    return filled
