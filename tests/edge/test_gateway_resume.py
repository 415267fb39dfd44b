"""A gateway goes on from any store that a cut has left."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.config import parse
from edge.gateway import Gateway, MqttMessage
from edge.store.store import Store

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_a_window_stays_open_over_a_restart_though_a_younger_reading_was_cut(tmp_path: Path) -> None:
    content = {
        "gateway": {"id": "barn-1", "state_dir": str(tmp_path)},
        "uplink": {"kind": "pubsub", "topic": "projects/demo-project/topics/telemetry"},
        "windows": {"seconds": 60, "grace_seconds": 0},
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


def _message(second: int, seq: int) -> MqttMessage:
    body = {"time": (NOON + timedelta(seconds=second)).timestamp(), "seq": seq, "values": {"moisture": 0.3}}
    return MqttMessage("sensors/soil-1/readings", json.dumps(body).encode())
