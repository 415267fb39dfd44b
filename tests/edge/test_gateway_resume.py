"""A gateway goes on from any store that a cut has left."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.config import parse
from edge.gateway import Gateway, MqttMessage
from edge.store.seal import unsealed
from edge.store.store import Store
from tests.edge.gateways import START, config, message, rows
from tests.edge.test_gateway import SECOND, OnePlace
from tests.edge.test_gateway_deadband import deadband_config, feed, spans

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_a_window_stays_open_over_a_restart_though_a_younger_reading_was_cut(tmp_path: Path) -> None:
    content = {
        "gateway": {"id": "barn-1", "state_dir": str(tmp_path)},
        "uplink": {"kind": "pubsub", "topic": "projects/demo-project/topics/telemetry"},
        "windows": {"seconds": 60, "grace_seconds": 0},
        "batches": {"seconds": 0},
        "sensors": [{"name": "soil", "devices": ["soil-*"], "channels": {"moisture": "m3/m3"}}],
    }
    config = parse(content, tmp_path / "gateway.toml")
    store = Store(tmp_path / "store.db", "barn-1", 8 << 20)
    gateway = Gateway(config, store, NOON)
    gateway.accept([_message(70, 1), _message(10, 2)], NOON + timedelta(seconds=20))
    assert [one.kind for one in gateway.tick(NOON + timedelta(seconds=61))] == ["summaries", "heartbeats"]
    store.close()
    store = Store(tmp_path / "store.db", "barn-1", 8 << 20)
    resumed = Gateway(config, store, NOON + timedelta(seconds=90))
    assert [one.kind for one in resumed.tick(NOON + timedelta(seconds=190))] == ["summaries", "heartbeats"]
    assert resumed.heartbeat(NOON).readings_summarised == 2
    store.close()


BROKEN = "sensors/d1/readings", b"{broken"
MEMORY = {
    name: bytes.fromhex(value) for name, value in json.loads((Path(__file__).parent / "store" / "memory_of_0_1.json").read_text()).items()
}
"""What version 0.1 had in the table memory after `first_minute`."""


def first_minute(place: OnePlace) -> None:
    feed(place, [0.3] * 3 + [0.1] * 4)
    place.gateway.accept([MqttMessage(*BROKEN)], START + 75 * SECOND)


def test_a_store_of_version_0_1_is_resumed(tmp_path: Path) -> None:
    place = OnePlace(tmp_path, deadband_config(tmp_path, 0.05, 0.2))
    place.store.close()
    with closing(sqlite3.connect(place.config.store_file)) as connection, connection:
        connection.executemany("insert into memory values (?, ?)", MEMORY.items())
        connection.execute("insert into commits values (6, x'')")
        connection.execute("pragma user_version = 1")
        connection.execute("delete from state where name = 'tally'")
    place.open(START + 71 * SECOND)
    place.gateway.accept([MqttMessage(*BROKEN, dup=True)], START + 71 * SECOND)
    feed(place, [0.1, 0.5], 6)
    place.gateway.flush(START + 100 * SECOND)
    assert rows(place.store, "rejects") == [], "its bytes were rejected before"
    assert [(row["rule"], row["previous_state"], row["state"]) for row in rows(place.store, "events")] == [
        ("dry", "low", "normal"),
        ("soil", "now", "fine"),
    ]
    assert spans(place.store) == [(40, 30, 3), (70, 10, 1)], "the run that was pending goes on"
    assert [row["label"] for row in rows(place.store, "inferences")] == ["fine"], "the last news was the label now"
    place.store.close()


def test_the_store_keeps_the_names_and_values_that_version_0_1_wrote(tmp_path: Path) -> None:
    place = OnePlace(tmp_path, deadband_config(tmp_path, 0.05, 0.2))
    first_minute(place)
    place.store.close()
    with closing(sqlite3.connect(place.config.store_file)) as connection:
        memory = {name: unsealed(value, name) for name, value in connection.execute("select name, value from memory")}
    del memory["device_clocks/d1"]  # not known to 0.1
    [by_recipe] = [name for name in memory if name.startswith("features/d1/soil/")]
    memory["features/d1/soil"] = memory.pop(by_recipe)
    assert memory == MEMORY


def _message(second: int, seq: int) -> MqttMessage:
    body = {"time": (NOON + timedelta(seconds=second)).timestamp(), "seq": seq, "values": {"moisture": 0.3}}
    return MqttMessage("sensors/soil-1/readings", json.dumps(body).encode())


def test_a_store_that_lost_what_the_gateway_remembers_goes_on_behind_what_is_closed(tmp_path: Path) -> None:
    """On a clock that is behind every cut failed, and readings that came were taken for evaluated: no event was raised."""
    settings = config(tmp_path)
    dry = {"values": {"moisture": 0.1}}
    with closing(Store(tmp_path / "store.db", "gw-1", 8 << 20)) as store:
        gateway = Gateway(settings, store, START)
        gateway.accept([message("d1", {**dry, "seq": 1})], START)
        gateway.tick(START + timedelta(minutes=1))
        cut = len(rows(store, "events")), len(rows(store, "summaries"))
    with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
        connection.execute("delete from memory where name not like 'evaluated%'")
        connection.execute("delete from commits")
        connection.commit()
    yesterday = START - timedelta(days=1)
    with closing(Store(tmp_path / "store.db", "gw-1", 8 << 20)) as store:
        gateway = Gateway(settings, store, yesterday)
        gateway.accept([message("d1", {**dry, "seq": 2, "time": yesterday.timestamp()})], yesterday)
        gateway.tick(yesterday + timedelta(minutes=1))
        assert (len(rows(store, "events")), len(rows(store, "summaries"))) == (cut[0] + 1, cut[1] + 1)
