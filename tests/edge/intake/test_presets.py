"""Each preset reads messages of its sender's shape, as that sender documents them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edge.config import ConfigError
from edge.reading import Reading
from edge.settings.presets import names
from schemas.envelope import micros
from tests.edge.gateways import START
from tests.edge.shapes import described, read, readings

SEEN = micros(START)
ISO = "2026-05-01T12:00:00"
ZIGBEE = {
    "battery": 97,
    "last_seen": f"{ISO}.000Z",
    "linkquality": 120,
    "soil_moisture": 31,
    "temperature": 14.2,
    "contact": False,
    "update": {"state": "idle"},
}
TASMOTA = {"Time": "2026-05-01T14:00:00", "DS18B20": {"Id": "01131B", "Temperature": 14.2}, "ANALOG": {"Moisture": 31}, "TempUnit": "C"}
SHELLY = {
    "src": "shellyht-1",
    "dst": "shellyht-1/events",
    "method": "NotifyFullStatus",
    "params": {
        "ts": SEEN / 1e6,
        "temperature:0": {"id": 0, "tC": 14.2, "tF": 57.6},
        "humidity:0": {"id": 0, "rh": 55.1},
        "sys": {"uptime": 5},
    },
}
CHIRPSTACK = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": f"{ISO}.000000242+00:00",
    "deviceInfo": {"tenantId": "52f1", "deviceName": "soil 1", "devEui": "0101010101010101"},
    "devAddr": "00189440",
    "fCnt": 7,
    "object": {"moisture": 0.31, "temperature": 14.2},
    "rxInfo": [{"gatewayId": "01", "rssi": -35}],
}
TTN = {
    "end_device_ids": {"device_id": "soil-1", "application_ids": {"application_id": "farm"}, "dev_addr": "00BCB929"},
    "received_at": f"{ISO}.000000001Z",
    "uplink_message": {"f_port": 1, "f_cnt": 7, "frm_payload": "gkHe", "decoded_payload": {"moisture": 0.31, "temperature": 14.2}},
}
RTL_433 = {
    "time": "2026-05-01 14:00:00",
    "model": "Acurite-Tower",
    "id": 77,
    "channel": "A",
    "battery_ok": 1,
    "temperature_C": 14.2,
    "mic": "CRC",
}
THINGSBOARD = {"soil 1": [{"ts": SEEN // 1000, "values": {"moisture": 0.31, "temperature": 14.2}}]}
BOTH = {"moisture": 0.31, "temperature": 14.2}
BERLIN = {"zone": "Europe/Berlin"}
SOIL = {"moisture": "m3/m3", "temperature": "degC"}


@pytest.mark.parametrize(
    ("preset", "settings", "topic", "message", "device", "values"),
    [
        ("zigbee2mqtt", {}, "zigbee2mqtt/Beet Süd", ZIGBEE, "Beet-Sued", BOTH),
        ("tasmota", BERLIN, "tele/tasmota_1/SENSOR", TASMOTA, "tasmota_1", BOTH),
        ("shelly", {}, "shellyht-1/events/rpc", SHELLY, "shellyht-1", {"temperature": 14.2}),
        ("chirpstack", {}, "application/17/device/0101010101010101/event/up", CHIRPSTACK, "0101010101010101", BOTH),
        ("ttn", {}, "v3/farm@ttn/devices/soil-1/up", TTN, "soil-1", BOTH),
        ("rtl_433", BERLIN, "rtl_433/pi/events", RTL_433, "Acurite-Tower-77", {"temperature": 14.2}),
        ("thingsboard", {}, "v1/gateway/telemetry", THINGSBOARD, "soil-1", BOTH),
        ("esphome", {}, "garden/sensor/temperature/state", "14.2", "garden", {"temperature": 14.2}),
    ],
)
def test_a_message_is_read_with_its_device_time_and_values(
    preset: str, settings: dict[str, Any], topic: str, message: object, device: str, values: dict[str, float]
) -> None:
    (reading,) = readings(message, described(SOIL, preset=preset, **settings), topic=topic)
    assert (reading.device_id, reading.event_us, reading.sensor_time) == (device, SEEN, preset != "esphome")
    assert reading.values == pytest.approx(values)
    assert (reading.seq, reading.boot is not None) == ((7, True) if preset in {"chirpstack", "ttn"} else (None, False))


def test_every_preset_is_tried() -> None:
    (mark,) = test_a_message_is_read_with_its_device_time_and_values.pytestmark  # type: ignore[attr-defined]
    assert sorted(row[0] for row in mark.args[1]) == names()


def test_what_a_sender_says_besides_is_no_reading_and_no_reject() -> None:
    assert read({"linkquality": 120, "temperature": None}, described(SOIL, preset="zigbee2mqtt"), topic="zigbee2mqtt/d1") == []


def test_on_and_off_of_a_binary_sensor_are_one_and_zero() -> None:
    contact = described({"door": "1"}, preset="esphome", booleans=["door"])
    found = [readings(word, contact, topic="garden/binary_sensor/door/state") for word in ("ON", "OFF")]
    assert [reading.values for (reading,) in found] == [{"door": 1.0}, {"door": 0.0}]


def test_what_a_file_says_counts_more_than_its_preset() -> None:
    own = described({"rest": "V"}, preset="zigbee2mqtt", topics=["z/{device}"], rename={"voltage": "rest"}, units={"rest": "mV"})
    (reading,) = read({"voltage": 3000}, own, topic="z/d1")
    assert isinstance(reading, Reading)
    assert reading.values == {"rest": 3.0}


def test_a_preset_that_there_is_not_is_named_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match=r"sensors\[1\]\.payload\.preset must be one of chirpstack, esphome, .*, not 'zigbee'"):
        read(json.dumps({}), described(SOIL, preset="zigbee"))
