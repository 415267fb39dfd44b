"""Settings and messages for the tests of the gateway, and what a store holds of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.config import Config, parse
from edge.gateway import MqttMessage
from edge.store.store import Store
from edge.window import unpack
from pipeline.body import rows_of

START = datetime(2026, 5, 1, 12, tzinfo=UTC)


def settings(**changed: Mapping[str, Any]) -> dict[str, Any]:
    """A parsed TOML: `changed` are settings added to its sections, or whole sections where they are lists."""
    content: dict[str, Any] = {
        "gateway": {"id": "gw-1", "state_dir": "state", "heartbeat_seconds": 60},
        "uplink": {"kind": "pubsub", "topic": "projects/demo-project/topics/telemetry"},
        "windows": {"seconds": 10, "grace_seconds": 2},
        "batches": {"seconds": 0},
        "sensors": [
            {
                "name": "soil",
                "devices": ["d*"],
                "channels": {"moisture": "m3/m3"},
                "thresholds": [{"name": "dry", "channel": "moisture", "below": 0.2, "hysteresis": 0.05}],
            }
        ],
    }
    for section, values in changed.items():
        content[section] = {**content.get(section, {}), **values} if isinstance(values, Mapping) else values
    return content


def config(directory: Path, **changed: Any) -> Config:
    return parse(settings(**changed), directory / "gateway.toml")


def message(device: str, *items: Mapping[str, Any], dup: bool = False) -> MqttMessage:
    """One item goes as an object, several as an array."""
    return MqttMessage(f"sensors/{device}/readings", json.dumps(items[0] if len(items) == 1 else items).encode(), dup)


def rows(store: Store, kind: str) -> list[dict[str, Any]]:
    """Rows of the waiting batches of a kind, in order."""
    bodies = (batch.body for batch in store.batches(0, 10**6) if batch.envelope.kind == kind)
    return [row for body in bodies for row in rows_of(body).to_pylist()]


def stored_readings(store: Store) -> Counter[tuple[str, int]]:
    """How often the store holds each reading (device, seq): in its journal or in a summary of the channel moisture."""
    found = Counter((reading.device_id, reading.seq or 0) for windowed in map(unpack, _journal(store)) for reading in windowed.readings)
    for row in rows(store, "summaries"):
        if row["channel"] == "moisture":
            ranges = row["seq_ranges"]
            seqs = [seq for first, last in zip(ranges[::2], ranges[1::2], strict=True) for seq in range(first, last + 1)]
            assert len(seqs) == row["count"]
            found.update((row["device_id"], seq) for seq in seqs)
    return found


def _journal(store: Store) -> Iterable[bytes]:
    return (body for _, _, body in store.replay())
