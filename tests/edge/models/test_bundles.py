"""A class of sensors gives its model what it needs, or is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.models.bundles import bundles_of
from program.settings import ConfigError
from tests.edge import autoencoder
from tests.edge.gateways import config
from tests.edge.models.test_bundle import SOIL

CHANNELS = {"moisture": "m3/m3", "temperature": "degC"}


def shaking(folder: Path, **changed: Any) -> dict[str, Any]:
    """Sections of a configuration: a class with the model of the tests, one key of it changed."""
    autoencoder.bundle(folder / "shaking")
    sensors = {"name": "machine", "devices": ["m*"], "frames": {"shake": "m/s2"}, "model": "m", **changed}
    return {"sensors": [sensors], "models": [{"name": "m", "bundle": str(folder / "shaking")}]}


def test_a_model_of_frames_has_what_it_needs(tmp_path: Path) -> None:
    assert [bundle.name for bundle in bundles_of(config(tmp_path, **shaking(tmp_path))).values()] == ["shaking"]


@pytest.mark.parametrize(
    ("changed", "needs"),
    [
        ({"frames": {"other": "m/s2"}}, "frames of the channel 'shake' in m/s2"),
        ({"frames": {"shake": "g"}}, "frames of the channel 'shake' in m/s2"),
        ({"frames": {}, "channels": {"shake": "m/s2"}}, "frames of the channel 'shake' in m/s2"),
    ],
)
def test_a_class_without_the_frames_of_its_model_is_refused(tmp_path: Path, changed: dict[str, Any], needs: str) -> None:
    with pytest.raises(ConfigError, match=rf"^sensors 'machine': model 'm' needs {needs}"):
        bundles_of(config(tmp_path, **shaking(tmp_path, **changed)))


def test_messages_too_small_for_the_frames_of_a_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"needs mqtt\.max_payload_bytes of at least 2054"):
        bundles_of(config(tmp_path, **shaking(tmp_path), mqtt={"max_payload_bytes": 2053}))
    assert bundles_of(config(tmp_path, **shaking(tmp_path), mqtt={"max_payload_bytes": 2054}))


def test_two_bundles_of_one_model_are_refused(tmp_path: Path) -> None:
    twins = shaking(tmp_path)
    twins["models"].append({**twins["models"][0], "name": "twin"})
    with pytest.raises(ConfigError, match="two of the bundles are of the model 'shaking'"):
        bundles_of(config(tmp_path, **twins))


@pytest.mark.parametrize(
    ("channels", "needs"),
    [
        ({"moisture": "m3/m3"}, "the channel 'temperature' in degC"),
        ({"moisture": "%", "temperature": "degC"}, "the channel 'moisture' in m3/m3"),
    ],
)
def test_a_class_without_a_channel_of_its_model_in_its_unit_is_refused(tmp_path: Path, channels: dict[str, str], needs: str) -> None:
    sections = soil(channels=channels)
    with pytest.raises(ConfigError, match=f"sensors 's': model 'm' needs {needs}"):
        bundles_of(config(tmp_path, **sections))


def test_1_percent_of_a_model_in_m3_m3_is_refused_with_the_settings_that_convert_it(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r'write channels = \{ moisture = "m3/m3" \} and \[sensors.payload\] units = \{ moisture = "%" \}'
    ):
        bundles_of(config(tmp_path, **soil(channels=CHANNELS | {"moisture": "%"})))
    assert bundles_of(config(tmp_path, **soil(channels=CHANNELS, payload={"units": {"moisture": "%"}})))


def test_1_a_range_that_the_model_was_not_made_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"needs temperature of -50 to 60 degC, and the class says that it is 100 to 900"):
        bundles_of(config(tmp_path, **soil(channels=CHANNELS, valid_min={"temperature": 100}, valid_max={"temperature": 900})))


def test_a_threshold_with_the_name_of_its_models_events_is_refused(tmp_path: Path) -> None:
    sections = soil(channels=CHANNELS, thresholds=[{"name": "soil", "channel": "moisture", "below": 0.1}])
    with pytest.raises(ConfigError, match="sensors 's': a threshold and events of the model 'm' are both named 'soil'"):
        bundles_of(config(tmp_path, **sections))
    sections["sensors"][0]["thresholds"][0]["name"] = "dry"
    assert bundles_of(config(tmp_path, **sections))["m"].name == "soil"


def soil(**changed: Any) -> dict[str, Any]:
    sensors = {"name": "s", "devices": ["*"], "model": "m", **changed}
    return {"sensors": [sensors], "models": [{"name": "m", "bundle": str(SOIL)}]}
