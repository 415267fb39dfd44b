"""Runs the benchmark `commits`: how often a gateway's store makes a disk write something down in a day, against a commit a message.

A commit is one fsync of the write-ahead log; a checkpoint, every few thousand pages, is two more. The day is simulated: what counts is
which messages, windows, batches and confirmations share a commit, by default settings, with sensors that speak at times of their own.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.figures import Figure, Log, figure
from edge.config import parse
from edge.gateway import Gateway, MqttMessage
from edge.store.connection import Connection, Cursor, connect
from edge.store.store import Store

COMMAND = "python -m bench commits"
_BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
_SETTINGS = {
    "gateway": {"id": "gw-bench", "state_dir": "state"},
    "uplink": {"kind": "pubsub", "topic": "projects/demo-project/topics/telemetry"},
    "sensors": [{"name": "soil", "devices": ["soil-*"], "channels": {"moisture": "m3/m3", "temperature": "degC"}}],
}


@dataclass(frozen=True, slots=True)
class Size:
    """Says how many hours are played."""

    hours: int


FULL = Size(hours=24)
QUICK = Size(hours=1)


@dataclass(slots=True)
class Counting:
    """Counts the commits of a connection, and hands everything on."""

    connection: Connection
    commits: int = field(default=0)

    @property
    def in_transaction(self) -> bool:
        return self.connection.in_transaction

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        self.commits += sql == "commit"
        return self.connection.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Any:
        return self.connection.executemany(sql, parameters)

    def close(self) -> None:
        self.connection.close()


def commits(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Plays 5 devices that speak once a minute: each alone, and all in the same half second."""
    rows = []
    for name, apart_seconds in (("each at a time of its own", 12.0), ("all at once", 0.0)):
        found, messages = _played(folder, size.hours, apart_seconds)
        log(f"{name}: {found} commits")
        days = size.hours / 24
        rows.append(figure(f"commits: 5 devices at 1/min, {name}", found / days, "commits/day", messages / days, COMMAND))
    return rows


def _played(folder: Path, hours: int, apart_seconds: float) -> tuple[int, int]:
    """Returns the commits and the messages of so many hours."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        config, opened = parse(_SETTINGS, Path(place) / "gateway.toml"), []

        def counting(path: Path) -> Connection:
            opened.append(Counting(connect(path)))
            return opened[-1]

        store = Store(config.store_file, config.gateway.id, config.store.max_bytes, counting)
        gateway, messages = Gateway(config, store, _BEGIN), 0
        for now, arrived in _arriving(hours, apart_seconds):
            gateway.accept(arrived, now)
            messages += len(arrived)
            gateway.tick(now + timedelta(seconds=1))
            if waiting := store.pending(100):
                store.confirm([batch.key for batch in waiting])
        store.close()
        return opened[0].commits, messages


def _arriving(hours: int, apart_seconds: float) -> Iterator[tuple[datetime, list[MqttMessage]]]:
    for minute in range(hours * 60):
        begin = _BEGIN + timedelta(minutes=minute)
        together: dict[datetime, list[MqttMessage]] = {}
        for number in range(5):
            now = begin + timedelta(seconds=number * apart_seconds)
            together.setdefault(now, []).append(_message(number, minute, now))
        yield from together.items()


def _message(device: int, seq: int, now: datetime) -> MqttMessage:
    body = {"time": now.timestamp(), "seq": seq, "boot": "ab12cd34", "values": {"moisture": 0.2 + seq / 1e5, "temperature": 14.2}}
    return MqttMessage(f"sensors/soil-{device:03}/readings", json.dumps(body).encode())
