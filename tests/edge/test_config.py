"""The configuration: what is wrong is named, with its file and setting; the example that ships is right."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import edge
from edge.config import Config, ConfigError, load, parse
from tests.edge.gateways import config, settings

EXAMPLE = Path(edge.__file__).with_name("gateway.example.toml")
SENSORS = {"name": "s", "devices": ["*"], "channels": {"a": "m"}}


def test_the_example_is_valid() -> None:
    assert load(EXAMPLE).gateway.id == "gateway-1"


def test_every_default_that_the_example_shows_is_the_default(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    shown = re.sub(r"^# ((?!tls_|credentials|model|name|bundle|deadband|\[\[models)[a-z_]+ = )", r"\1", text, flags=re.MULTILINE)
    assert shown.count("\n# ") < text.count("\n# ") - 15
    file = tmp_path / "shown.toml"
    file.write_text(shown)
    told, bare = load(file), parse(tomllib.loads(text), tmp_path / "shown.toml")
    assert told == bare


def test_every_setting_stands_in_the_example() -> None:
    text = EXAMPLE.read_text()
    for section in ("gateway", "mqtt", "windows", "batches", "store", "pubsub", "health"):
        for name in type(getattr(load(EXAMPLE), section)).__dataclass_fields__:
            assert re.search(rf"^(# )?{name} = ", text, re.MULTILINE), f"{section}.{name}"


def shaking(**changed: Any) -> dict[str, Any]:
    return {"name": "s", "devices": ["*"], "frames": {"shake": "m/s2"}, **changed}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"gateway": {"idd": "x"}}, "gateway.idd: unknown setting; did you mean id?"),
        ({"file": "x"}, "file: unknown setting"),
        ({"mqqt": {}}, "mqqt: unknown setting; did you mean mqtt?"),
        ({"mqtt": {"port": "1883"}}, "mqtt.port must be a whole number, not '1883'"),
        ({"mqtt": {"port": True}}, "mqtt.port must be a whole number, not True"),
        ({"mqtt": {"host": "10.0.0.1"}}, "mqtt.host 10.0.0.1 is another machine: set mqtt.tls_ca"),
        ({"mqtt": {"tls_ca": "ca.pem"}}, "TLS needs tls_ca, tls_certificate and tls_key; given: tls_ca"),
        ({"mqtt": {"topic": "sensors/#"}}, "mqtt.topic must hold one `+`"),
        ({"gateway": {"id": "a b"}}, "gateway.id must be letters"),
        ({"pubsub": {"topic": "telemetry"}}, "pubsub.topic must look like projects/PROJECT/topics/TOPIC"),
        ({"pubsub": {"multiplier": float("nan")}}, "pubsub.multiplier must be a number"),
        ({"windows": {"seconds": 0}}, "windows.seconds must be at least 1, not 0"),
        ({"store": {"max_bytes": 1000}}, "store.max_bytes must be at least"),
        ({"sensors": []}, "at least one [[sensors]]"),
        ({"sensors": {"name": "x"}}, "sensors must be a list"),
        ({"sensors": [{"name": "s", "devices": ["*"]}]}, "sensors[1].channels is missing"),
        (
            {"sensors": [SENSORS | {"channels": ["a"]}]},
            'sensors[1].channels must be a table of channel and unit, such as { moisture = "m3/m3" }',
        ),
        (
            {"sensors": [SENSORS | {"deadband": 0.1}]},
            "sensors[1].deadband must be a table of channel and number, such as { moisture = 0.01 }",
        ),
        ({"sensors": [SENSORS | {"deadband": {"a": "0.1"}}]}, "sensors[1].deadband.a must be a number, not '0.1'"),
        ({"sensors": [SENSORS | {"deadband": {"a": 0}}]}, "sensors[1].deadband.a must be greater than 0, not 0.0"),
        ({"sensors": [SENSORS | {"deadband": {"b": 0.1}}]}, "sensors[1].deadband.b: 'b' is not one of sensors[1].channels"),
        ({"sensors": [SENSORS | {"hold_seconds": 7200}]}, "sensors[1].hold_seconds must be 1 to 3600, not 7200"),
        ({"models": [{"name": "m", "bundle": "m", "deadband": -1.0}]}, "models[1].deadband must not be negative"),
        (
            {"sensors": [{"name": "s", "devices": ["*"], "channels": {"a": "m"}, "model": "soil"}]},
            "sensors[1].model 'soil' is not in [[models]]",
        ),
        (
            {
                "sensors": [
                    {"name": "s", "devices": ["*"], "channels": {"a": "m"}, "thresholds": [{"name": "t", "channel": "b", "below": 1}]}
                ]
            },
            "sensors[1].thresholds[1].channel 'b' is not one of",
        ),
        (
            {"sensors": [{"name": "s", "devices": ["*"], "channels": {"a": "m"}, "thresholds": [{"name": "t", "channel": "a"}]}]},
            "sensors[1].thresholds[1] needs below or above",
        ),
        ({"sensors": [shaking(frames={"a b": "g"})]}, "sensors[1].frames.a b: a channel of frames has at most 48 letters"),
        ({"sensors": [shaking(frames={"a" * 49: "g"})]}, "a channel of frames has at most 48 letters"),
        ({"sensors": [shaking(frames=["shake"])]}, "sensors[1].frames must be a table of channel and unit"),
        ({"sensors": [shaking(frames={"shake": 9.81})]}, "sensors[1].frames.shake must be a text"),
        ({"sensors": [shaking(frames={})]}, "sensors[1].channels is missing, or sensors[1].frames"),
        ({"sensors": [shaking(channels={"shake": "g"})]}, "sensors[1].frames.shake: 'shake' stands in sensors[1].channels too"),
        ({"sensors": [shaking(channels={"shake_rms": "g"})]}, "sensors[1].frames.shake: 'shake_rms' stands in sensors[1].channels too"),
        (
            {"sensors": [shaking(thresholds=[{"name": "t", "channel": "shake_band00", "above": 1}])]},
            "sensors[1].thresholds[1].channel 'shake_band00' is not one of sensors[1].channels, nor a level of sensors[1].frames",
        ),
        ({"gateway": {"state_dir": "${NO_SUCH_VARIABLE}/x"}}, "gateway.state_dir: the environment variable NO_SUCH_VARIABLE is not set"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    merged = settings()
    for section, values in changed.items():
        merged[section] = {**merged.get(section, {}), **values} if isinstance(values, dict) and section != "sensors" else values
    with pytest.raises(ConfigError) as error:
        parse(merged, tmp_path / "gateway.toml")
    assert str(error.value).startswith(f"{tmp_path / 'gateway.toml'}: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_environment_variable_is_put_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYBEAM_TEST_ID", "gw-7")
    assert config(tmp_path, gateway={"id": "${TINYBEAM_TEST_ID}"}).gateway.id == "gw-7"


def test_a_file_that_is_absent_or_no_toml_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent.toml: cannot be read"):
        load(tmp_path / "absent.toml")
    (tmp_path / "broken.toml").write_text("[gateway\n")
    with pytest.raises(ConfigError, match=r"broken.toml: not valid TOML.*line 1"):
        load(tmp_path / "broken.toml")


def test_a_relative_path_is_relative_to_the_file(tmp_path: Path) -> None:
    assert config(tmp_path).store_file == tmp_path / "state" / "store.db"


def test_levels_of_frames_have_units_and_may_have_thresholds(tmp_path: Path) -> None:
    threshold = {"name": "t", "channel": "shake_kurtosis", "above": 6}
    (made,) = config(tmp_path, sensors=[shaking(channels={"warmth": "degC"}, thresholds=[threshold])]).sensors
    assert made.units == {"warmth": "degC", "shake_rms": "m/s2", "shake_peak": "m/s2", "shake_kurtosis": "1"}


def test_the_first_class_whose_pattern_fits_counts(tmp_path: Path) -> None:
    classes = [{"name": name, "devices": devices, "channels": {"a": "m"}} for name, devices in (("one", ["d1"]), ("many", ["d*"]))]
    made: Config = config(tmp_path, sensors=classes)
    assert [(found.name if (found := made.sensors_of(device)) else None) for device in ("d1", "d2", "e")] == ["one", "many", None]
