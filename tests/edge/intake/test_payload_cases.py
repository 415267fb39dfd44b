"""The cases of ../shared/cases that concern payloads, by their numbers: what is fed, and the right answer."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.gateway import Gateway
from edge.intake.documents.document import Document
from edge.intake.formats import Context
from edge.intake.inbox import Inbox
from edge.intake.mapping.message_map import MessageMap
from edge.intake.reader import MqttMessage
from edge.intake.routes import Routes
from edge.models.bundle import Bundle
from edge.models.running import slots_of
from edge.reading import Limits, Reading, Rejected
from edge.store.section import Section
from edge.store.store import Store
from schemas.envelope import micros
from tests.edge.gateways import START, config, message, rows
from tests.edge.releases.field import Speaker
from tests.edge.shapes import described, read, readings, reasons

NATIVE: dict[str, Any] = {"name": "soil", "devices": ["*"], "channels": {"moisture": "m3/m3", "temperature": "degC"}}
SOIL = {"moisture": "m3/m3", "temperature": "degC"}
SEEN = micros(START)
SOIL_BUNDLE = Path(__file__).parents[3] / "models" / "soil"


def values(results: list[Reading]) -> list[dict[str, float]]:
    return [result.values for result in results]


def test_1_percent_is_refused_with_the_cure_and_converted_where_that_is_declared() -> None:
    (rejected,) = read({"values": {"moisture": 10}}, NATIVE)
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, 'payload.units = { moisture = "%" }' in rejected.message) == ("out_of_range", True)
    (reading,) = readings({"values": {"moisture": 10}}, described(SOIL, units={"moisture": "%"}))
    assert reading.values == {"moisture": pytest.approx(0.1)}


def test_2_a_counter_that_begins_anew_loses_nothing_and_what_the_broker_delivers_again_is_a_repeat(tmp_path: Path) -> None:
    inbox = Inbox(config(tmp_path), (), Section)
    same = message("d1", {"seq": 1, "values": {"moisture": 0.31}})
    for number in range(48):
        inbox.receive([same], START.replace(minute=number), "synced")
    assert (len(inbox.readings), inbox.counted["readings_repeated"]) == (48, 0)
    inbox.receive([MqttMessage(same.topic, same.payload, dup=True)], START, "synced")
    assert (len(inbox.readings), inbox.counted["readings_repeated"]) == (48, 1)


def test_7_a_null_is_said_and_its_neighbour_arrives() -> None:
    reading, rejected = read({"seq": 3, "values": {"moisture": None, "temperature": -3.0}}, NATIVE)
    assert isinstance(reading, Reading)
    assert isinstance(rejected, Rejected)
    assert (reading.values, reading.seq, rejected.reason, rejected.seq) == ({"temperature": -3.0}, 3, "null_value", None)


def test_8_one_reading_that_is_not_finite_costs_no_other() -> None:
    items = ",".join(f'{{"seq":{n},"values":{{"moisture":{"NaN" if n == 4 else 0.3}}}}}' for n in range(10))
    results = read(f"[{items}]", NATIVE)
    assert [result.seq for result in results if isinstance(result, Reading)] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert [(each.reason, each.seq) for each in results if isinstance(each, Rejected)] == [("not_finite", 4)]


@pytest.mark.parametrize("name", ["ts", "timestamp", "Time", "t", "measured_at", "dateTime"])
def test_9_a_time_under_another_name_is_refused_with_the_hint_and_never_stored_as_now(name: str) -> None:
    message = {name: SEEN // 1000, "values": {"moisture": 0.3}}
    (rejected,) = read(message, NATIVE)
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, f'time = "{name}"' in rejected.message) == ("undeclared_time", True)
    (reading,) = readings(message, described(SOIL, time=name, time_unit="ms"))
    assert reading.event_us == SEEN
    (reading,) = readings(message, described(SOIL, time="arrival"))
    assert (reading.event_us, reading.sensor_time) == (SEEN, False)


@pytest.mark.parametrize("name", ["at", "gemessen um", "x"])
@pytest.mark.parametrize("written", ["2026-05-01 14:00:05", "2026-05-01T12:00:05Z", "01.05.2026 14:00"])
def test_9_a_date_with_a_time_of_day_is_a_time_whatever_its_name(name: str, written: str) -> None:
    (rejected,) = read({name: written, "values": {"moisture": 0.3}}, NATIVE)
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, f'time = "{name}"' in rejected.message) == ("undeclared_time", True)


def test_a_word_that_is_no_json_is_told_of_the_format_that_reads_it() -> None:
    (rejected,) = read("ON", NATIVE)
    assert isinstance(rejected, Rejected)
    assert 'format = "number"' in rejected.message


@pytest.mark.parametrize(("channel", "value"), [("temperature", -300), ("moisture", 65535), ("moisture", -0.1)])
def test_13_what_cannot_be_is_rejected_and_its_neighbour_stays(channel: str, value: float) -> None:
    reading, rejected = read({"values": {"moisture": 0.3, "temperature": 14.0} | {channel: value}}, NATIVE)
    assert isinstance(reading, Reading)
    assert isinstance(rejected, Rejected)
    assert (channel in reading.values, len(reading.values), rejected.reason) == (False, 1, "out_of_range")


def test_13_a_declared_range_tells_what_a_broken_probe_sends() -> None:
    bounded = NATIVE | {"valid_min": {"temperature": -40}, "valid_max": {"temperature": 60}}
    assert reasons([{"values": {"temperature": value}} for value in (-127, 14, 85)], bounded) == ["out_of_range"] * 2


SENML, WET = {"format": "senml"}, {"moisture": 0.31, "temperature": 14}
SCALED = {"scale": {"moisture": 0.001, "temperature": 0.1}, "offset": {"temperature": 1}}
NAMES = ["time", "ts", "seq", "boot", "values", "moisture", "n", "v", "id", "nodes"]
LAYOUTS: list[dict[str, Any]] = [
    {},
    {"items": "nodes", "device": "id", "time": "ts", "time_unit": "ms", "zone": "Europe/Berlin"},
    {"channel": "n", "value": "v", "values": "values", "text_numbers": "comma", "booleans": ["moisture"]},
    {"device": "@key", "rename": {"*": "moisture"}, "unknown_channels": "reject", "units": {"moisture": "%"}},
]
FLAT = {"battery": 100, "soil_moisture": 31, "temperature": 14.2}


@pytest.mark.parametrize(
    ("payload", "layout", "expected"),
    [
        (FLAT, {"rename": {"soil_moisture": "moisture"}, "units": {"moisture": "%"}}, {"moisture": 0.31, "temperature": 14.2}),
        ({"AM2301": {"Temperature": 14.2}}, {"rename": {"*.Temperature": "temperature"}}, {"temperature": 14.2}),
        ({"uplink": {"decoded": {"temperature": 14.2}, "n": 7}}, {"values": "uplink.decoded", "seq": "uplink.n"}, {"temperature": 14.2}),
        ({"moisture": "0.31", "temperature": "14.2"}, {"text_numbers": "point"}, {"moisture": 0.31, "temperature": 14.2}),
        ({"moisture": "0,31", "temperature": 14.2}, {"text_numbers": "comma"}, {"moisture": 0.31, "temperature": 14.2}),
        ([{"n": "moisture", "v": 0.31}], {"channel": "n", "value": "v"}, {"moisture": 0.31}),
        ({"s": [{"n": "moisture", "v": 0.31}, {"n": "x", "v": 1}]}, {"values": "s", "channel": "n", "value": "v"}, {"moisture": 0.31}),
        (b'\xef\xbb\xbf{"moisture":0.31}', {}, {"moisture": 0.31}),
        (b'{"moisture":0.31}\0\0', {}, {"moisture": 0.31}),
        (gzip.compress(b'{"moisture":0.31}', mtime=0), {}, {"moisture": 0.31}),
        (b"0.31", {"format": "number", "topics": ["sensors/{device}/{channel}"], "rename": {"readings": "moisture"}}, {"moisture": 0.31}),
        ([{"bn": "urn:dev:mac:0024:", "n": "moisture", "v": 0.31}, {"n": "temperature", "v": 14}], SENML, WET),
        ({"moisture": 311, "temperature": 142}, SCALED, {"moisture": 0.311, "temperature": 15.2}),
        ({"moisture": True}, {"booleans": ["moisture"]}, {"moisture": 1.0}),
    ],
)  # fmt: skip
def test_19_a_shape_is_read_by_configuration(payload: object, layout: dict[str, Any], expected: dict[str, float]) -> None:
    (reading,) = readings(payload, described(SOIL, **layout))
    assert reading.values == pytest.approx(expected)
    assert reading.device_id == "d1"


@pytest.mark.parametrize("value", [-127, 85])
def test_13_a_models_range_tells_what_a_broken_probe_sends(value: float, tmp_path: Path) -> None:
    modelled = [NATIVE | {"model": "soil"}]
    configured = config(tmp_path, sensors=modelled, models=[{"name": "soil", "bundle": str(SOIL_BUNDLE)}])
    store = Store(configured.store_file, "gw-1", configured.store.max_bytes)
    gateway = Gateway(configured, store, START, slots=slots_of({"soil": Bundle.load(SOIL_BUNDLE)}, Speaker()))
    gateway.accept([message("d1", {"values": {"moisture": 0.3, "temperature": value}})], START)
    gateway.flush(START.replace(minute=5))
    assert [row["channel"] for row in rows(store, "summaries")] == ["moisture"]
    assert [row["reason"] for row in rows(store, "rejects")] == ["out_of_range"]
    store.close()


def test_19_lines_of_json_are_readings_and_a_bad_one_costs_no_other() -> None:
    results = read(b'{"values":{"moisture":0.3}}\n{"values":{"moi\n{"values":{"moisture":0.4}}\n', NATIVE)
    assert values([each for each in results if isinstance(each, Reading)]) == [{"moisture": 0.3}, {"moisture": 0.4}]
    assert [each.body for each in results if isinstance(each, Rejected)] == [b'{"values":{"moi']


def test_19_each_of_an_array_of_single_values_has_its_own_time() -> None:
    items = [{"id": "moisture", "v": 0.3, "t": SEEN // 10**6 - 60}, {"id": "temperature", "v": 4, "t": SEEN // 10**6}]
    found = readings(items, described(SOIL, channel="id", value="v", time="t"))
    assert [(each.values, SEEN - each.event_us) for each in found] == [({"moisture": 0.3}, 60_000_000), ({"temperature": 4.0}, 0)]


@pytest.mark.parametrize(
    ("time", "layout"),
    [
        (SEEN // 1000, {"time_unit": "ms"}),
        (SEEN, {"time_unit": "us"}),
        (str(SEEN // 10**6), {}),
        ("2026-05-01T14:00:00", {"zone": "Europe/Berlin"}),
        ("2026-05-01T12:00:00Z", {"zone": "Europe/Berlin"}),
        ("2026-05-01 14:00:00+02:00", {}),
    ],
)
def test_20_a_time_is_read_as_declared(time: object, layout: dict[str, Any]) -> None:
    (reading,) = readings({"time": time, "moisture": 0.3}, described(**layout))
    assert (reading.event_us, reading.sensor_time) == (SEEN, True)


@pytest.mark.parametrize(
    ("time", "reason", "hint"),
    [
        (SEEN // 1000, "time_future", 'declare time_unit = "ms"'),
        (SEEN, "time_future", 'declare time_unit = "us"'),
        (0, "time_past", 'time = "arrival"'),
        (86_400, "time_past", 'time = "arrival"'),
        (str(SEEN // 10**6), "wrong_type", "time_unit"),
        ("2026-05-01T14:00:00", "wrong_type", "zone"),
    ],
)
def test_20_a_time_of_another_kind_is_refused_with_a_guess_at_it(time: object, reason: str, hint: str) -> None:
    (rejected,) = read({"time": time, "values": {"moisture": 0.3}}, NATIVE)
    assert isinstance(rejected, Rejected)
    assert (rejected.reason, hint in rejected.message) == (reason, True), rejected.message


def test_20_an_hour_that_comes_twice_is_the_one_near_the_arrival_and_one_that_never_comes_is_refused() -> None:
    berlin = described(zone="Europe/Berlin")
    for hour in (0, 1):
        now = START.replace(month=10, day=25, hour=hour, minute=31)
        (reading,) = readings({"time": "2026-10-25T02:30:00", "moisture": 0.3}, berlin, now=now)
        assert micros(now) - reading.event_us == 60_000_000
    assert reasons({"time": "2026-03-29T02:30:00", "moisture": 0.3}, berlin) == ["wrong_type"]


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("AA:BB:CC:01", "AA-BB-CC-01"), ("Küche Süd", "Kueche-Sued"), ("d1", "d1"), ("日本", "device-ce47dfba"), ("x" * 70, None)],
)
def test_21_a_name_becomes_an_identifier_by_rule(name: str, identifier: str | None) -> None:
    (reading,) = readings({"values": {"moisture": 0.3}}, NATIVE, topic=f"sensors/{name}/readings")
    assert len(reading.device_id) <= 64
    assert identifier in (None, reading.device_id)


def test_21_two_names_that_come_to_one_identifier_are_never_one_device() -> None:
    both = described({"moisture": "m3/m3"}, device="id", topic="all", values="v")
    results = read([{"id": "a:b", "v": {"moisture": 0.1}}, {"id": "a b", "v": {"moisture": 0.2}}], both, topic="all")
    assert [each.reason for each in results if isinstance(each, Rejected)] == ["bad_device"]
    assert [each.values for each in results if isinstance(each, Reading)] == [{"moisture": 0.1}]


def test_21_names_are_kept_over_restarts_so_that_another_never_takes_their_identifier(tmp_path: Path) -> None:
    configured = config(tmp_path)
    for number, (name, stored) in enumerate([("d:1", 1), ("d 1", 1), ("d:1", 2)]):
        store, now = Store(configured.store_file, "gw-1", configured.store.max_bytes), START.replace(minute=number)
        gateway = Gateway(configured, store, now)
        gateway.accept([MqttMessage(f"sensors/{name}/readings", b'{"values":{"moisture":0.3}}')], now)
        gateway.flush(now.replace(second=30))
        assert (store.ledger().journaled, dict(store.section("names").items())) == (stored, {"d-1": b"d:1"})
        store.close()


@pytest.mark.parametrize(
    ("filter_", "topic"),
    [
        ("farm/+/{device}/up", "farm/north/d1/up"),
        ("$share/gw/site/+/{device}/#", "site/a/d1/b/c"),
        ("{device}/#", "d1"),
        ("a/+/b", "a/d1/b"),
    ],
)
def test_21_the_device_is_any_level_of_the_topic(filter_: str, topic: str) -> None:
    (reading,) = readings({"moisture": 0.3}, described(topic=filter_), topic=topic)
    assert reading.device_id == "d1"


def test_21_devices_inside_the_message_are_told_apart_with_what_the_message_says_of_all() -> None:
    message = {"gw": 1, "at": SEEN // 10**6, "nodes": [{"mac": "A:1", "moisture": 0.1}, {"mac": "A:2", "moisture": 0.2}]}
    found = readings(message, described(topic="all/nodes", items="nodes", device="mac", time="at"), topic="all/nodes")
    assert [(each.device_id, each.values, each.event_us) for each in found] == [
        ("A-1", {"moisture": 0.1}, SEEN),
        ("A-2", {"moisture": 0.2}, SEEN),
    ]


def test_a_personal_name_is_hashed_with_the_key(tmp_path: Path) -> None:
    (tmp_path / "names.key").write_bytes(b"0123456789abcdef")
    hashed = described(hash_key_file="names.key", device_prefix="p-")
    (first,) = readings({"moisture": 0.3}, hashed, topic="sensors/Anna/readings", folder=tmp_path)
    (again,) = readings({"moisture": 0.3}, hashed, topic="sensors/Anna/readings", folder=tmp_path)
    assert (first.device_id, "Anna" in repr(first), len(first.device_id)) == (again.device_id, False, 26)


@pytest.mark.parametrize(("policy", "expected"), [("warn", []), ("ignore", []), ("reject", ["unknown_channel"])])
def test_unknown_channels_are_what_the_class_says(policy: str, expected: list[str], caplog: pytest.LogCaptureFixture) -> None:
    results = read({"moisture": 0.3, "odd": 1}, described(unknown_channels=policy))
    assert [each.values for each in results if isinstance(each, Reading)] == [{"moisture": 0.3}]
    assert [each.reason for each in results if isinstance(each, Rejected)] == expected
    assert ("'odd'" in caplog.text) == (policy == "warn")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x1f\x8b",
        gzip.compress(b"0" * (5 << 20), mtime=0),
        b"\0",
        b"[" * 60_000,
        b'{"a":' * 20_000,
        b"\xff" * 100,
        json.dumps([[]] * 10_001).encode(),
    ],
)
@pytest.mark.parametrize("written", ["json", "cbor", "senml", "number"])
def test_nothing_raises_out_of_a_format(payload: bytes, written: str) -> None:
    results = read(payload, described(format=written, text_numbers="comma", rename={"*": "moisture"}))
    assert all(isinstance(each, Reading | Rejected) for each in results)


PARTS = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.builds(lambda: 10**5000)
    | st.sampled_from(["x" * 300, "1,5", "2026-05-01T12:00:00", START, b"x"])
)
DOCUMENTS = st.recursive(
    PARTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner), max_leaves=12
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(LAYOUTS), DOCUMENTS)
def test_no_document_is_a_fault_whatever_it_holds(layout: dict[str, Any], content: Any) -> None:
    configured = config(Path(), sensors=[described(SOIL, **layout)])
    sensors = configured.sensors[0]
    context = Context("d1", sensors, SEEN, "synced", Limits(), "moisture")
    message_map = MessageMap(sensors, {}, Routes(configured, Section("names")))
    for result in message_map.read(Document(content, b""), context):
        assert isinstance(result, Reading | Rejected)


@pytest.mark.parametrize("key", ["time", "seq", "boot", "device"])
def test_a_number_of_thousands_of_digits_is_a_reject_like_any_other(key: str) -> None:
    message = b'{"values": {"moisture": 0.3}, "%s": 1%s}' % (key.encode(), b"0" * 4000)
    assert reasons(message, NATIVE)[0] != "fault"
    assert reasons(message, described())[:1] != ["fault"]


def test_references_of_cbor_that_grow_without_end_are_refused() -> None:
    content: Any = {"moisture": 0.3}
    for name in "abcdefgh" * 3:
        content = {name: content, name * 2: content}
    payload = cbor2.dumps([content], value_sharing=True)
    assert len(payload) < 400
    assert reasons(payload, described(format="cbor")) == ["malformed_cbor"]


def test_19_cbor_is_read() -> None:
    (reading,) = readings(cbor2.dumps({"time": START, "moisture": 0.31}), described(format="cbor"))
    assert (reading.values, reading.event_us) == ({"moisture": 0.31}, SEEN)
