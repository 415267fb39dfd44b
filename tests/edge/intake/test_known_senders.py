"""What people's own senders say, and what would silently mean something else: each is read right, or refused with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.config import ConfigError
from edge.intake.device_names import identifier
from edge.intake.reader import MqttMessage, Reader
from edge.reading import Reading, Rejected
from edge.recording import BadLines, read_recording
from schemas.envelope import micros
from tests.edge.gateways import START, config
from tests.edge.shapes import described, read, readings, reasons

WARM = {"temperature": "degC"}
EPOCH = 1_777_600_000


def of_class(name: str, pattern: str, channels: dict[str, str], **payload: Any) -> dict[str, Any]:
    return {"name": name, "devices": [pattern], "channels": channels, "payload": payload}


@pytest.mark.parametrize(
    ("message", "layout", "path"),
    [
        ({"data": {"timestamp": EPOCH, "temperature": 3}}, {"values": "data"}, "data.timestamp"),
        ({"meta": {"head": {"ts": EPOCH}}, "temperature": 3}, {}, "meta.head.ts"),
        ({"a.b.c.d.e.f": {"ts": EPOCH}, "temperature": 3}, {}, "a.b.c.d.e.f.ts"),
        ({"tst": EPOCH, "temperature": 3}, {}, "tst"),
        ({"dateutc": "2026-05-01 11:59:00", "temperature": 3}, {}, "dateutc"),
        ({"@timestamp": "2026-05-01T11:59:00Z", "temperature": 3}, {}, "@timestamp"),
        ({"Zeit": "01.05.2026 14:00:00", "temperature": 3}, {}, "Zeit"),
        ({"dt": str(EPOCH), "temperature": 3}, {}, "dt"),
    ],
)
def test_9_a_time_is_never_passed_over_wherever_it_stands(message: object, layout: dict[str, Any], path: str) -> None:
    (rejected,) = read(message, described(WARM, **layout))
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, f'time = "{path}"' in rejected.message) == ("undeclared_time", True)


@pytest.mark.parametrize("message", [{"values": {"moisture": 0.3}, "meta": {"ts": EPOCH}}, {"values": {"moisture": 0.3, "ts": EPOCH}}])
def test_9_nor_in_a_message_of_tinybeams_own(message: object) -> None:
    assert reasons(message, {"name": "soil", "devices": ["*"], "channels": {"moisture": "m3/m3"}}) == ["undeclared_time"]


@pytest.mark.parametrize("besides", [{"schedule": {"time": "06:00"}}, {"dt": 0.4}, {"uptime": 5}, {"meta": {"ts": EPOCH}}])
def test_9_what_only_sounds_like_a_time_or_is_ignored_refuses_nothing(besides: dict[str, Any]) -> None:
    assert readings({"temperature": 3, **besides}, described(WARM, ignore=["meta.*"]))[0].values == {"temperature": 3}


def test_9_a_device_without_a_time_is_not_refused_for_the_time_of_another() -> None:
    keyed = described(WARM, device="@key", time="ts")
    first, second = readings({"d1": {"ts": EPOCH, "temperature": 1}, "d2": {"temperature": 2}}, keyed)
    assert (first.sensor_time, second.sensor_time) == (True, False)


def test_of_two_values_for_one_channel_none_is_taken() -> None:
    tasmota = described(WARM, preset="tasmota", zone="UTC")
    probes = {
        "Time": "2026-05-01T12:00:00",
        "DS18B20-1": {"Temperature": -127},
        "DS18B20-2": {"Temperature": 20},
        "ANALOG": {"Temperature": 9},
    }
    assert read(probes, tasmota, topic="tele/d1/SENSOR")[0].reason == "ambiguous_channel"  # type: ignore[union-attr]
    assert not any(isinstance(each, Reading) for each in read(probes, tasmota, topic="tele/d1/SENSOR"))
    chip = {"Time": "2026-05-01T12:00:00", "ESP32": {"Temperature": 53.3}, "DS18B20": {"Temperature": 20}}
    assert readings(chip, tasmota, topic="tele/d1/SENSOR")[0].values == {"temperature": 20}


def test_parts_that_report_one_at_a_time_are_not_mixed() -> None:
    messages = [{"params": {"temperature:0": {"tC": 21}}}, {"params": {"temperature:1": {"tC": 5}}}]
    reader = Reader(config(Path(), sensors=[described(WARM, topic="x/+", values="params", rename={"temperature:*.tC": "temperature"})]))
    seen = [
        each for message in messages for each in reader.read(MqttMessage("x/d1", json.dumps(message).encode()), micros(START), "synced")
    ]
    assert [each.values if isinstance(each, Reading) else each.reason for each in seen] == [{"temperature": 21}, "ambiguous_channel"]
    assert read(messages[1], described(WARM, preset="shelly"), topic="d1/events/rpc") == []


@pytest.mark.parametrize(
    ("preset", "topic", "message"),
    [
        ("tasmota", "tele/d1/SENSOR", {"AM2301": {"Temperature": 70.7}, "TempUnit": "F"}),
        ("tasmota", "tele/d1/SENSOR", {"AM2301": {"Temperature": 21.5}, "TempUnit": "C"}),
        ("tasmota", "tele/d1/SENSOR", {"AM2301": {"Temperature": 21.5}}),
        ("zigbee2mqtt", "zigbee2mqtt/d1", {"temperature": 21.5}),
        ("shelly", "d1/events/rpc", {"params": {"temperature:0": {"tC": 21.5}}}),
        ("rtl_433", "rtl_433/pi/events", {"model": "d1", "id": 1, "temperature_C": 21.5}),
    ],
)
@pytest.mark.parametrize(("unit", "value"), [("degC", 21.5), ("degF", 70.7), ("K", 294.65)])
def test_what_a_sender_sends_is_converted_to_the_unit_of_the_class(
    preset: str, topic: str, message: dict[str, Any], unit: str, value: float
) -> None:
    (reading,) = readings(message, described({"temperature": unit}, preset=preset), topic=topic)
    assert reading.values == {"temperature": pytest.approx(value)}


def test_the_unit_that_senml_names_counts_and_a_name_that_comes_again_is_another_reading() -> None:
    senml = described({"temperature": "degC", "humidity": "%"}, format="senml", device="device", values="values")
    body = [
        {"bn": "d1/", "bu": "K", "n": "temperature", "v": 294.65},
        {"n": "temperature", "u": "Cel", "v": 3},
        {"n": "humidity", "u": "%RH", "v": 55},
    ]
    assert [each.values for each in readings(body, senml)] == [{"temperature": pytest.approx(21.5)}, {"temperature": 3, "humidity": 55}]
    assert reasons([{"bn": "d1/", "n": "temperature", "u": "Pa", "v": 3}], senml) == ["wrong_unit"]


def test_classes_share_a_topic_whose_messages_name_their_devices() -> None:
    soil = of_class("soil", "soil-*", {"moisture": "m3/m3"}, preset="thingsboard")
    air = of_class("air", "a-air*", WARM, preset="thingsboard", device_prefix="a-")
    message = {"soil-1": [{"moisture": 0.3}, {"moisture": 3}], "air": [{"temperature": 21}], "stranger": [{"temperature": 5}]}
    first, outside, stranger, second = read(message, soil, air, topic="v1/gateway/telemetry")
    assert isinstance(first, Reading)
    assert isinstance(outside, Rejected)
    assert isinstance(stranger, Rejected)
    assert isinstance(second, Reading)
    assert (first.device_id, second.device_id, second.values) == ("soil-1", "a-air", {"temperature": 21})
    assert [(each.device_id, each.reason) for each in (outside, stranger)] == [("soil-1", "out_of_range"), (None, "no_sensor_class")]
    assert reasons("no JSON", soil, air, topic="v1/gateway/telemetry") == ["malformed_json"]


@pytest.mark.parametrize("message", [{"ts": EPOCH * 1000, "values": {"temperature": 3}}, {"ts": EPOCH * 1000, "temperature": 3}])
def test_a_message_of_one_device_is_no_table_of_devices(message: object) -> None:
    assert reasons(message, described(WARM, preset="thingsboard"), topic="v1/gateway/telemetry") == ["wrong_type"]
    assert not any(isinstance(each, Reading) for each in read(message, described(WARM, preset="thingsboard"), topic="v1/gateway/telemetry"))


def test_21_names_whose_letters_have_no_spelling_stay_apart() -> None:
    names = [identifier(name) for name in ("温室1", "畑1", "温室2", "1")]
    assert len(set(names)) == 4
    assert [identifier(name) for name in ("Wohnzimmer °C", "Büro 2²", "a:b")] == ["Wohnzimmer-C", "Buero-22", "a-b"]


@pytest.mark.parametrize(
    ("line", "topic", "payload"),
    [
        ('zigbee2mqtt/Living Room 2 {"temperature": 21}', "zigbee2mqtt/Living Room 2", b'{"temperature": 21}'),
        ("home/Living Room/temperature 21.5", "home/Living Room/temperature", b"21.5"),
        ("home/a b/temperature nan", "home/a b/temperature", b"nan"),
        ("zigbee2mqtt/d1 Offline", "zigbee2mqtt/d1", b"Offline"),
        ("zigbee2mqtt/d1", "zigbee2mqtt/d1", b""),
        ("zigbee2mqtt/a b/availability {}", None, b""),
        ('{"tst": "2026-05-01T12:00:00.5Z+0200", "topic": "home/a/b", "qos": 0, "payload": {"b": 1}}', "home/a/b", b'{"b": 1}'),
        ('{"topic": "home/a/b", "retain": 0, "payload": "21"}', "home/a/b", b"21"),
    ],
)
def test_21_a_recorded_topic_may_have_spaces(line: str, topic: str | None, payload: bytes) -> None:
    own = described(WARM, topics=["zigbee2mqtt/{device}", "home/{device}/{channel}"])
    bad = BadLines()
    assert [(each.topic, each.payload) for each in read_recording([line.encode()], config(Path(), sensors=[own]), bad)] == [
        (topic, payload) for topic in [topic] if topic
    ]
    assert bad.count == (topic is None)


@pytest.mark.parametrize("layout", [{}, {"format": "number"}])
def test_an_empty_message_is_called_one(layout: dict[str, Any]) -> None:
    (rejected,) = read("", described(WARM, **layout))
    assert isinstance(rejected, Rejected)
    assert rejected.message.startswith("the message is empty")


def test_a_unit_that_nobody_can_convert_is_refused_with_those_that_can() -> None:
    with pytest.raises(ConfigError, match=r"payload\.units\.temperature: nobody can convert 'degC' to 'C', only to degF, K"):
        read("", described({"temperature": "C"}, preset="zigbee2mqtt"))


@pytest.mark.parametrize("unit", ["Rankine", ["C"], "Pa"])
def test_a_unit_in_a_message_that_nobody_knows_is_never_taken_for_another(unit: object) -> None:
    assert reasons({"temperature": 21, "u": unit}, described(WARM, unit_at={"temperature": "u"})) == ["wrong_unit"]
