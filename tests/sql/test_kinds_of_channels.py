"""States and counters from the sensor to the view: what the views say equals what the raw readings say.

Readings go through gateways (late, again, over restarts, two that hear one sensor), batches, the pipeline's decoding and validation, and
the warehouse. The reference sees the readings alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from google.cloud import bigquery

from edge.gateway import Gateway, MqttMessage
from edge.store.store import Store
from pipeline.assign_sites import group_rows
from pipeline.decode import decode_all
from pipeline.elements import DecodedBatches, ReceivedMessage
from pipeline.validate import validate
from schemas.envelope import from_micros, micros
from tests.edge.gateways import config
from tests.raw_readings import Raw, believed, rise, seconds_in, times_entered

START = datetime(2026, 5, 1, 23, 56, tzinfo=UTC)
MIDNIGHT = START + timedelta(minutes=4)
"""Windows lie on both sides of it."""
STATES = ("closed", "open", "stuck")
WRAPS_AT = 50.0
KINDS = {"door": {"kind": "state", "values": STATES}, "count": {"kind": "counter"}, "tips": {"kind": "counter", "wraps_at": WRAPS_AT}}
CLASS = {"name": "s", "devices": ["d*"], "channels": {"door": "", "count": "l", "tips": "mm", "level": "m"}, "kinds": KINDS}
SPAN, DEVICES = 420, 7


class Sent(NamedTuple):
    """A message of a device, and when it arrives where, in seconds from the start."""

    device: str
    at: float
    arrives: float
    payload: dict[str, Any]
    gateways: tuple[str, ...]

    @property
    def message(self) -> MqttMessage:
        return MqttMessage(f"sensors/{self.device}/readings", json.dumps(self.payload).encode(), dup=True)


def sent_by(device: str, rng: Random) -> Iterator[Sent]:
    """Some come minutes late, some twice; some devices number their readings, some restart, some are heard by two gateways."""
    numbered, heard_by = rng.random() < 0.6, rng.choice([("gw-1",), ("gw-2",), ("gw-1", "gw-2")])
    at, boot, door, count, tips = 0.0, 0, "closed", 0, 0
    number = 0
    while (at := at + rng.choice([3, 7, 11, 40, 100])) < SPAN:
        door = rng.choice([door, door, *STATES])
        count, tips = count + rng.randint(0, 5), (tips + rng.randint(0, 9)) % int(WRAPS_AT)
        if rng.random() < 0.06:
            boot, count, number = boot + 1, rng.randint(0, 3), 0
        values = {"door": door, "count": count, "tips": tips, "level": 1}
        stamp = {"seq": number, "boot": f"b{boot}"} if numbered else {}
        number += 1
        late = rng.choice([0.2, 0.2, 0.2, 15, 90, 300])
        for _ in range(rng.choice([1, 1, 2])):
            yield Sent(device, at, at + late, {"time": START.timestamp() + at, "values": values, **stamp}, heard_by)


def at_gateway(name: str, messages: Iterable[Sent], folder: Path, rng: Random) -> list[ReceivedMessage]:
    """What the pipeline receives of a gateway that is killed now and then."""
    settings = config(folder, gateway={"id": name}, sensors=[CLASS], windows={"seconds": 60, "grace_seconds": 5}, batches={"seconds": 60})
    folder.mkdir()
    store = Store(settings.store_file, name, 64 << 20)
    gateway, now = Gateway(settings, store, START), START
    for one in sorted(messages, key=lambda one: one.arrives):
        now = START + timedelta(seconds=one.arrives)
        gateway.tick(now)
        gateway.accept([one.message], now)
        if rng.random() < 0.05:
            store.close()
            store = Store(settings.store_file, name, 64 << 20)
            gateway = Gateway(settings, store, now)
    gateway.flush(now + timedelta(hours=1))
    with closing(store):
        batches = [batch for batch in store.batches(0, 10_000) if batch.envelope.kind == "summaries"]
        return [ReceivedMessage(batch.envelope.attributes(), batch.body, now) for batch in batches]


def facts(messages: Iterable[ReceivedMessage]) -> list[dict[str, Any]]:
    """The rows that the pipeline writes, none of them set aside."""
    decoded = [each for each in decode_all(messages) if isinstance(each, DecodedBatches)]
    valid, rejected = validate(group_rows(decoded), START)
    assert rejected == []
    return [{**row, "site_id": "north"} for row in valid.rows.to_pylist()]


@pytest.fixture(scope="module")
def story(sql_project: bigquery.Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Sent]]:
    """What all devices sent, once it is in the warehouse, in any order."""
    rng, folder = Random(12), tmp_path_factory.mktemp("kinds")
    everything = [one for number in range(DEVICES) for one in sent_by(f"d{number}", rng)]
    rows = []
    for name in ("gw-1", "gw-2"):
        rows += facts(at_gateway(name, [one for one in everything if name in one.gateways], folder / name, rng))
    rng.shuffle(rows)
    plain = json.loads(json.dumps(rows, default=datetime.isoformat))
    append = bigquery.LoadJobConfig(write_disposition="WRITE_APPEND")
    sql_project.query_and_wait("truncate table tinybeam.summaries_v1")
    sql_project.load_table_from_json(plain, "tinybeam.summaries_v1", job_config=append).result()
    yield everything
    sql_project.query_and_wait("truncate table tinybeam.summaries_v1")


def raw(story: Iterable[Sent], device: str, channel: str) -> list[Raw]:
    values = {round(START.timestamp() * 1e6 + one.at * 1e6): one.payload["values"][channel] for one in story if one.device == device}
    return [Raw(time, STATES.index(value) if channel == "door" else value) for time, value in values.items()]


def asked(client: bigquery.Client, what: str, begin: datetime = START, end: datetime = START + timedelta(hours=1)) -> list[dict[str, Any]]:
    moments = f"timestamp '{begin.isoformat()}', timestamp '{end.isoformat()}'"
    return [dict(row) for row in client.query_and_wait(f"select * from tinybeam.{what}({moments})")]


def windows_of(story: list[Sent]) -> set[tuple[str, int]]:
    """Device and start of each minute that has a reading."""
    return {(one.device, micros(START) + int(one.at // 60) * 60_000_000) for one in story}


def test_states_are_those_of_the_raw_readings(sql_project: bigquery.Client, story: list[Sent]) -> None:
    found = asked(sql_project, "states_between")
    wanted = {}
    for device, start in windows_of(story):
        readings, end = raw(story, device, "door"), start + 60_000_000
        known = believed(readings, start, end)
        for number, name in enumerate(STATES):
            seconds = seconds_in(readings, start, end, number)
            known_seconds = (end - max(start, known[0].time_us)) / 1e6
            entered = times_entered(readings, start, end, number)
            wanted[device, start, name] = (seconds, seconds / 60, entered, known[-1].value == number, known_seconds)
    columns = ("seconds", "share", "entered", "is_last", "known_seconds")
    told = {(row["device_id"], micros(row["window_start"]), row["state"]): tuple(row[name] for name in columns) for row in found}
    assert len(told) == len(found)
    assert told.keys() == wanted.keys()
    assert {key: value for key, value in told.items() if value != pytest.approx(wanted[key], abs=1e-6)} == {}


def test_counters_are_those_of_the_raw_readings(sql_project: bigquery.Client, story: list[Sent]) -> None:
    columns = ("increase", "resets", "since_time")
    found = asked(sql_project, "counters_between")
    told = {(row["device_id"], row["channel"], micros(row["window_start"])): tuple(row[name] for name in columns) for row in found}
    wanted = {}
    for channel, wraps_at in (("count", None), ("tips", WRAPS_AT)):
        for device, start in windows_of(story):
            readings, end = raw(story, device, channel), start + 60_000_000
            rose, since = rise(readings, start, end, wraps_at) or (None, 0), believed(readings, start, end)[0].time_us
            wanted[device, channel, start] = (*rose, from_micros(since))
    assert len(told) == len(found)
    assert told == wanted
    after = [row for row in found if row["window_start"] >= MIDNIGHT]
    assert sorted(map(str, asked(sql_project, "counters_between", MIDNIGHT))) == sorted(map(str, after)), "a part of the time says the same"


def test_a_number_channel_has_no_points(sql_project: bigquery.Client, story: list[Sent]) -> None:
    kinds = {(row["channel"], row["channel_kind"]) for row in asked(sql_project, "summaries_between")}
    assert kinds == {("door", "state"), ("count", "counter"), ("tips", "counter"), ("level", None)}
