"""The configuration: what is wrong is named, with its file and setting; the example that ships is right."""

from __future__ import annotations

import re
import tomllib
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

import edge
from edge.config import ConfigError, load, parse
from tests.edge.gateways import config, settings

LONG = "a" * 49
EXAMPLE = Path(edge.__file__).with_name("gateway.example.toml")


def test_the_example_is_valid() -> None:
    assert load(EXAMPLE).gateway.id == "gateway-1"


def test_every_default_that_the_example_shows_is_the_default(tmp_path: Path) -> None:
    text = EXAMPLE.read_text()
    names = r"tls_|server|registry_file|tokens_file|encryption_key|user|password_file|(?:pipeline_)?key_file|credentials|shard|for_pipeline"
    without_default = rf"{names}|model|name|bundle|shadow|deadband|source|root|directory|\[\[models"
    shown = re.sub(rf"^# ((?!{without_default})[a-z_]+ = )", r"\1", text, flags=re.MULTILINE)
    assert shown.count("\n# ") < text.count("\n# ") - 15
    file = tmp_path / "shown.toml"
    file.write_text(shown)
    assert load(file) == parse(tomllib.loads(text), file)


def test_every_setting_stands_in_the_example() -> None:
    text = EXAMPLE.read_text()
    sections = ("gateway", "mqtt", "renewal", "http", "windows", "batches", "store", "uplink", "uplink.limits", "uplink.retry")
    for section in (*sections, "signatures", "health", "releases"):
        for name in attrgetter(section)(load(EXAMPLE)).__struct_fields__:
            assert re.search(rf"^(# )?{name} = |^\[{section}\.{name}\]", text, re.MULTILINE), f"{section}.{name}"


def soil(**changed: Any) -> dict[str, Any]:
    return {"sensors": [{"name": "s", "devices": ["*"], "channels": {"a": "m"}, **changed}]}


def shaking(**changed: Any) -> dict[str, Any]:
    return {"name": "s", "devices": ["*"], "frames": {"shake": "m/s2"}, **changed}


def vibration(**changed: Any) -> dict[str, Any]:
    return {"sensors": [shaking(**changed)]}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"gateway": {"idd": "x"}}, "gateway.idd: unknown setting; did you mean id?"),
        ({"file": "x"}, "file: unknown setting"),
        ({"health": {"host": ""}}, "health.host must be a text of at least 1 characters, not ''"),
        ({"mqtt": {"host": ""}}, "mqtt.host must be a text of at least 1 characters, not ''"),
        ({"gateway": {"heartbeat_seconds": 10**9}}, "gateway.heartbeat_seconds must be 1 to 86400, not 1000000000"),
        ({"mqqt": {}}, "mqqt: unknown setting; did you mean mqtt?"),
        ({"mqtt": {"port": "1883"}}, "mqtt.port must be a whole number, not '1883'"),
        ({"mqtt": {"port": True}}, "mqtt.port must be a whole number, not True"),
        ({"mqtt": {"keepalive_seconds": 65_536}}, "mqtt.keepalive_seconds must be 5 to 65535, not 65536"),
        (soil(devices=["a", ""]), "sensors[1].devices[2] must be a text of at least 1 characters, not ''"),
        ({"mqtt": {"port": 1883.0}}, "mqtt.port must be a whole number, not 1883.0"),
        ({"mqtt": {"port": 70_000}}, "mqtt.port must be 1 to 65535, not 70000"),
        (
            {"mqtt": {"host": "10.0.0.1"}},
            "mqtt.host 10.0.0.1 is another machine: set mqtt.tls_ca, or allow_plain = true on a private network",
        ),
        ({"mqtt": {"tls_key": "own.key", "tls_ca": "ca.pem"}}, "mqtt.tls_certificate and tls_key go together"),
        (
            {"mqtt": {"topic": "sensors/#"}},
            "mqtt.topic must say which level is the device: write {device} for one of its +; not 'sensors/#'",
        ),
        (
            {"mqtt": {"topic": "+/+/readings"}},
            "mqtt.topic must say which level is the device: write {device} for one of its +; not '+/+/readings'",
        ),
        (
            {"gateway": {"id": "a b"}},
            "gateway.id must be letters, digits, dot, dash or underscore, at most 64, not 'a b'",
        ),
        ({"gateway": {"id": "a\nb"}}, "gateway.id must be one line of printable text"),
        ({"gateway": {"id": "gw-1\n"}}, "gateway.id must be one line of printable text"),
        (
            {"uplink": {"topic": "telemetry"}},
            "uplink.topic must be a topic's full name, projects/PROJECT/topics/TOPIC, not 'telemetry'",
        ),
        ({"uplink": {"retry": {"multiplier": float("nan")}}}, "uplink.retry.multiplier must be a number, not nan"),
        ({"uplink": {"retry": {"max_interval": 0.5}}}, "uplink.retry.max_interval must be at least 1.0, not 0.5"),
        ({"uplink": {"kind": "pigeon"}}, "uplink.kind must be one of pubsub, mqtt, not 'pigeon'"),
        ({"uplink": {"multiplier": 3.0}}, "uplink.multiplier is no longer a setting: it stands in [uplink.retry]"),
        ({"pubsub": {"topic": "t"}}, 'pubsub is no longer a setting: it is [uplink] with kind = "pubsub"'),
        ({"windows": {"seconds": 0}}, "windows.seconds must be 1 to 3600, not 0"),
        ({"windows": {"seconds": 47}}, "windows.seconds must divide an hour, as 48 does, not 47"),
        ({"windows": {"seconds": 7200}}, "windows.seconds must be 1 to 3600, not 7200"),
        ({"windows": [60]}, "windows must be a table, not [60]: write [windows]"),
        ({"store": {"max_bytes": 1000}}, "store.max_bytes must be 16777216 to 17592186044416, not 1000"),
        ({"batches": {"max_rows": 200_000}}, "batches.max_rows must be 1 to 100000, not 200000"),
        ({"sensors": []}, "sensors must not be empty: write [[sensors]]"),
        ({"sensors": {"name": "x"}}, "sensors must be a list, not {'name': 'x'}: write [[sensors]]"),
        (soil(channels={}), "sensors[1].channels or frames must name a channel"),
        (
            soil(channels=["a"]),
            "sensors[1].channels must be a table of channel and unit, such as { moisture = \"m3/m3\" }, not ['a']",
        ),
        (soil(devices=[]), "sensors[1].devices must not be empty"),
        (
            soil(deadband=0.1),
            "sensors[1].deadband must be a table of channel and number, such as { moisture = 0.01 }, not 0.1",
        ),
        (soil(deadband={"a": "0.1"}), "sensors[1].deadband.a must be a number, not '0.1'"),
        (soil(deadband={"a": 0}), "sensors[1].deadband.a must be greater than 0, not 0"),
        (soil(deadband={"b": 0.1}), "sensors[1].deadband.b: 'b' is not one of the class's channels: a"),
        (soil(hold_seconds=7200), "sensors[1].hold_seconds must be 1 to 3600, not 7200"),
        (soil(model="soil"), "sensors[1].model 'soil' is not in [[models]]; there are none"),
        ({"models": [{"name": "m", "bundle": "m", "deadband": -1.0}]}, "models[1].deadband must be at least 0, not -1.0"),
        ({"models": [{"name": "m", "bundle": 1}]}, "models[1].bundle must be a text, not 1"),
        ({"models": [{"name": "m", "bundle": "m"}] * 2}, "models: the name 'm' stands twice"),
        (
            soil(thresholds=[{"name": "t", "channel": "b", "below": 1}]),
            "sensors[1].thresholds[1].channel: 'b' is not one of the class's channels: a",
        ),
        (
            soil(thresholds=[{"name": "t", "channel": "a"}]),
            "sensors[1].thresholds[1]: one of below and above is needed, or both",
        ),
        (
            soil(thresholds=[{"name": "t", "channel": "a", "below": 2, "above": 1}]),
            "sensors[1].thresholds[1].below must be less than above",
        ),
        (
            soil(thresholds=[{"name": "t", "channel": "a", "below": 1, "above": 3, "hysteresis": 2.5}]),
            "sensors[1].thresholds[1].hysteresis must be at most 2, what is between below and above, not 2.5",
        ),
        (
            soil(thresholds=[{"name": "t", "channel": "a", "below": 2, "severity": "bad"}]),
            "sensors[1].thresholds[1].severity must be one of info, warning, critical, not 'bad'",
        ),
        (
            soil(channels={"a": "degC"}, thresholds=[{"name": "t", "channel": "a", "below": 33.8, "unit": "degF"}]),
            "sensors[1].thresholds[1].unit is degF, and a is in degC: write below = 1",
        ),
        (
            soil(channels={"a": "m3/m3"}, thresholds=[{"name": "t", "channel": "a", "below": 25}]),
            "sensors[1].thresholds[1].below 25.0 is in m3/m3, where a is 0 to 1: it says nothing",
        ),
        (soil(valid_min={"a": 5}, valid_max={"a": 5}), "sensors[1].channels.a: no value in m can be valid: from 5 to 5"),
        (
            soil(payload={"units": {"a": "degF"}}),
            "sensors[1].payload.units.a: nobody can convert 'degF' to 'm', only to degC, K; payload.scale can say how",
        ),
        (soil(payload={"rename": {"x": "b"}}), "sensors[1].payload.rename.x: 'b' is not one of the class's channels: a"),
        (soil(payload={"zone": "Mars/North"}), "sensors[1].payload.zone 'Mars/North' is not known here, as Europe/Berlin is"),
        (
            soil(payload={"values": "a..b"}),
            "sensors[1].payload.values must be a path such as `decoded.payload[0].\"soil moisture\"`, not 'a..b'",
        ),
        (
            soil(payload={"topics": ["a/#/b"]}),
            "sensors[1].payload.topics[1] must be a topic filter, its # at the end, its + and {device} whole levels; not 'a/#/b'",
        ),
        (soil(payload={"channel": "n"}), "sensors[1].payload.channel and value go together: a name, and what it is the name of"),
        (soil(thresholds=[{"name": "t", "channel": "a", "below": 1}] * 2), "sensors[1].thresholds: the name 't' stands twice"),
        (
            vibration(frames={"shake": "g", "a b": "g"}),
            "sensors[1].frames.\"a b\" must be a channel of frames: at most 48 letters, digits, dots, dashes and underscores, not 'a b'",
        ),
        (
            vibration(frames={LONG: "g"}),
            f"sensors[1].frames.{LONG} must be a channel of frames: at most 48 letters, digits, dots, dashes and underscores, not {LONG!r}",
        ),
        (
            vibration(frames=["shake"]),
            "sensors[1].frames must be a table of channel and unit, such as { moisture = \"m3/m3\" }, not ['shake']",
        ),
        (vibration(frames={"shake": 9.81}), "sensors[1].frames.shake must be a text, not 9.81"),
        (vibration(frames={}), "sensors[1].channels or frames must name a channel"),
        (vibration(channels={"shake": "g"}), "sensors[1].frames.shake: 'shake' stands in channels too"),
        (vibration(channels={"shake_rms": "g"}), "sensors[1].frames.shake: 'shake_rms' stands in channels too"),
        (
            vibration(thresholds=[{"name": "t", "channel": "shake_band00", "above": 1}]),
            "sensors[1].thresholds[1].channel: 'shake_band00' is not one of the class's channels: shake_rms, shake_peak, shake_kurtosis",
        ),
        ({"gateway": {"state_dir": "${NO_SUCH_VARIABLE}/x"}}, "gateway.state_dir: the environment variable NO_SUCH_VARIABLE is not set"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(tmp_path: Path, changed: dict[str, Any], sentence: str) -> None:
    merged = settings()
    for section, values in changed.items():
        merged[section] = {**merged.get(section, {}), **values} if isinstance(values, dict) and section != "sensors" else values
    with pytest.raises(ConfigError) as error:
        parse(merged, tmp_path / "gateway.toml")
    assert str(error.value) == f"{tmp_path / 'gateway.toml'}: {sentence}"


@pytest.mark.parametrize(
    ("first", "second", "place", "pattern"),
    [
        (["soil-*"], ["soil-*"], 1, "soil-*"),
        (["soil-*"], ["air-1", "soil-1"], 2, "soil-1"),
        (["*"], ["soil-[12]"], 1, "soil-[12]"),
        (["soil-1", "soil-2"], ["soil-[12]"], 1, "soil-[12]"),
    ],
)
def test_a_pattern_that_earlier_classes_leave_no_device_is_refused(
    tmp_path: Path, first: list[str], second: list[str], place: int, pattern: str
) -> None:
    classes = [{"name": name, "devices": devices, "channels": {"a": "m"}} for name, devices in (("one", first), ("two", second))]
    with pytest.raises(ConfigError) as error:
        config(tmp_path, sensors=classes)
    sentence = f"sensors[2].devices[{place}]: {pattern!r} never counts: the classes before take all of its devices"
    assert str(error.value) == f"{tmp_path / 'gateway.toml'}: {sentence}"


@pytest.mark.parametrize("section", ["gateway", "uplink", "sensors"])
def test_a_section_that_is_missing_is_written_out(tmp_path: Path, section: str) -> None:
    content = {name: table for name, table in settings().items() if name != section}
    with pytest.raises(ConfigError, match=rf"{section} is missing: write \[+{section}\]"):
        parse(content, tmp_path / "gateway.toml")


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    files = {"tls_ca": "ca.pem", "tls_certificate": "own.pem", "tls_key": "own.key"}
    with pytest.raises(ConfigError, match=r"mqtt\.tls_ca: there is no file .*ca\.pem"):
        config(tmp_path, mqtt=files)


def test_an_uplink_says_its_kind(tmp_path: Path) -> None:
    content = settings()
    del content["uplink"]["kind"]
    with pytest.raises(ConfigError, match=r"uplink\.kind is missing: one of pubsub, mqtt"):
        parse(content, tmp_path / "gateway.toml")


def test_an_environment_variable_is_put_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYBEAM_TEST_ID", "gw-7")
    assert config(tmp_path, gateway={"id": "${TINYBEAM_TEST_ID}"}).gateway.id == "gw-7"


def test_a_file_that_is_absent_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent.toml: cannot be read"):
        load(tmp_path / "absent.toml")
    (tmp_path / "broken.toml").write_text("[gateway\n")
    with pytest.raises(ConfigError, match=r"broken.toml: not valid TOML.*line 1"):
        load(tmp_path / "broken.toml")


def test_a_relative_path_is_relative_to_the_file(tmp_path: Path) -> None:
    assert config(tmp_path).store_file == tmp_path / "state" / "store.db"


def test_time_domain_features_of_frames_have_units_and_may_have_thresholds(tmp_path: Path) -> None:
    threshold = {"name": "t", "channel": "shake_kurtosis", "above": 6}
    (sensors,) = config(tmp_path, sensors=[shaking(channels={"warmth": "degC"}, thresholds=[threshold])]).sensors
    assert sensors.units == {"warmth": "degC", "shake_rms": "m/s2", "shake_peak": "m/s2", "shake_kurtosis": "1"}


def test_the_first_class_whose_pattern_fits_counts(tmp_path: Path) -> None:
    classes = [{"name": name, "devices": devices, "channels": {"a": "m"}} for name, devices in (("one", ["d1"]), ("many", ["d*"]))]
    classes_of = config(tmp_path, sensors=classes).sensors_of
    assert [sensors.name if (sensors := classes_of(device)) else None for device in ("d1", "d2", "e")] == ["one", "many", None]
