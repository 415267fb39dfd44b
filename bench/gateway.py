"""Measures messages a second from a real broker to the gateway's store, each acknowledged after the commit that holds it.

The baseline commits and acknowledges each message by itself. Both run in turn, pinned to one core of their own, against a fresh
mosquitto whose session already holds the messages. Every run is checked: the store holds each message once, and the broker none.

Two rates: `a core second` divides by the processor time of the gateway's process, which is what a gateway of one core can do; `a
second` is the wall clock of the pinned process, with the waiting for the disk and the broker. `With summaries` also counts what it
costs to close the windows of these messages and to cut them into batches; the baseline has no such step.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench import flood
from bench.acknowledgement import acknowledgement_seconds
from edge.store.form import decoded
from edge.store.store import Store
from edge.window import unpack
from lab.services.broker import Broker
from program.child import python_module

RESULT = Path("build/bench/gateway.json")
_GATEWAY = "gw-bench"
_SETTINGS = """
[gateway]
id = "{gateway}"
state_dir = "state"
[mqtt]
port = {port}
[uplink]
kind = "pubsub"
topic = "projects/demo-project/topics/telemetry"
[[sensors]]
name = "soil"
devices = ["soil-*"]
channels = {{ moisture = "m3/m3", temperature = "degC" }}
[[sensors.thresholds]]
name = "frost"
channel = "temperature"
below = 1.0
hysteresis = 1.0
"""


class BenchFailed(Exception):
    """A run lost or repeated a message: its figures mean nothing."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject is a gateway to measure.

    `command` starts it on a port and a folder, for so many messages; `stored` counts the distinct and all messages in its store.
    """

    command: Callable[[int, Path, int], list[str]]
    stored: Callable[[Path], tuple[int, int]]


def run(subject: Subject, count: int, folder: Path, core: int) -> dict[str, float]:
    """Measures one run: its seconds, bytes and commits. Raises BenchFailed."""
    with Broker(folder / "broker") as broker:
        if broker.is_fallback:
            raise BenchFailed("mosquitto is not installed: a broker in Python would be measured instead of the gateway")
        flood.open_session(broker.port, _GATEWAY)
        flood.publish(broker.port, count)
        command = ["taskset", "-c", str(core), *subject.command(broker.port, folder, count)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchFailed(done.stderr)
        _check_all_acknowledged(broker.port)
    if subject.stored(folder) != (count, count):
        raise BenchFailed(f"of {count} messages the store holds (distinct, all): {subject.stored(folder)}")
    measurements: dict[str, float] = json.loads(done.stdout)
    return {**measurements, "messages": count}


def _check_all_acknowledged(port: int) -> None:
    """Raises BenchFailed if the broker still has messages; it may need a moment for the last acknowledgements."""
    for _ in range(5):
        if not (undelivered := flood.undelivered_bytes(port, _GATEWAY)):
            return
    raise BenchFailed(f"the broker still delivers messages that should be acknowledged: at least {undelivered} bytes")


def _tinybeam(port: int, folder: Path, count: int) -> list[str]:
    file = folder / "gateway.toml"
    file.write_text(_SETTINGS.format(gateway=_GATEWAY, port=port))
    return python_module("bench.gateway_process", str(file), str(count))


def _stored_by_tinybeam(folder: Path) -> tuple[int, int]:
    store = Store(folder / "state" / "store.db", _GATEWAY, 512 << 20)
    messages = [(reading.device_id, reading.seq) for _, _, body in store.replay() for reading in unpack(body).readings]
    messages += _summarised(store)
    store.close()
    return len(set(messages)), len(messages)


def _summarised(store: Store) -> Iterator[tuple[str, int]]:
    """Yields device and seq of the readings that are in a summary."""
    for batch in store.batches(0, 10**6):
        if batch.envelope.kind == "summaries":
            for row in decoded(batch.body):
                if row["channel"] == "moisture":
                    ranges: list[int] = row["seq_ranges"]
                    for first, last in zip(ranges[::2], ranges[1::2], strict=True):
                        yield from ((row["device_id"], seq) for seq in range(first, last + 1))


def _per_message(port: int, folder: Path, count: int) -> list[str]:
    return python_module("bench.baselines.per_message_gateway", str(port), _GATEWAY, str(folder / "readings.db"), str(count))


def _stored_per_message(folder: Path) -> tuple[int, int]:
    database = sqlite3.connect(folder / "readings.db")
    distinct, rows = database.execute("select count(distinct device || '/' || seq), count(*) from readings").fetchone()
    database.close()
    return distinct, rows


TINYBEAM = Subject(_tinybeam, _stored_by_tinybeam)
PER_MESSAGE = Subject(_per_message, _stored_per_message)


def measure(messages: int, baseline_messages: int, rounds: int, folder: Path, core: int) -> list[dict[str, Any]]:
    """Measures both gateways by turns; each row is the median of the rounds. Raises BenchFailed."""
    tinybeam, baseline = [], []
    for number in range(rounds):
        with tempfile.TemporaryDirectory(dir=folder) as folder_1, tempfile.TemporaryDirectory(dir=folder) as folder_2:
            tinybeam.append(run(TINYBEAM, messages, Path(folder_1), core))
            baseline.append(run(PER_MESSAGE, baseline_messages, Path(folder_2), core))
        print(f"round {number + 1} of {rounds}: {_rate(tinybeam[-1], 'cpu'):,.0f} messages a core second", file=sys.stderr)
    return [
        _row("gateway_messages_a_core_second", "messages/CPU s", _median(tinybeam, _rate, "cpu"), _median(baseline, _rate, "cpu")),
        _row("gateway_messages_a_second", "messages/s", _median(tinybeam, _rate, "wall"), _median(baseline, _rate, "wall")),
        _row("gateway_messages_a_core_second_with_summaries", "messages/CPU s", _median(tinybeam, _rate, "cpu", "closing_cpu")),
        _row("gateway_peak_memory", "bytes", _median(tinybeam, _value, "memory"), _median(baseline, _value, "memory")),
        _row("gateway_messages_a_commit", "messages", messages / _median(tinybeam, _value, "commits"), 1.0),
        *_acknowledgement_rows(max(2, messages // 2000), rounds, folder),
    ]


def _leave_one_core() -> int:
    """Returns a core for the gateway; this process, and with it the broker, keeps to the others, where there are others."""
    first, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, others or [first])
    return first


def _acknowledgement_rows(messages: int, rounds: int, folder: Path) -> list[dict[str, Any]]:
    """Measures the milliseconds until a single message is acknowledged."""
    tinybeam, baseline = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=folder) as folder_1, tempfile.TemporaryDirectory(dir=folder) as folder_2:
            tinybeam += acknowledgement_seconds(TINYBEAM.command, _GATEWAY, messages, Path(folder_1))
            baseline += acknowledgement_seconds(PER_MESSAGE.command, _GATEWAY, messages, Path(folder_2))
    if {len(tinybeam), len(baseline)} != {messages * rounds}:
        raise BenchFailed(f"of {messages * rounds} single messages {len(tinybeam)} and {len(baseline)} were acknowledged")
    return [
        _row(f"gateway_acknowledgement_alone_{name}", "ms", quantile(tinybeam) * 1e3, quantile(baseline) * 1e3)
        for name, quantile in (("median", median), ("p95", lambda seconds: quantiles(seconds, n=20)[-1]))
    ]


def _median(runs: list[dict[str, float]], figure: Callable[..., float], *names: str) -> float:
    return median(figure(measurements, *names) for measurements in runs)


def _rate(measurements: dict[str, float], *names: str) -> float:
    return measurements["messages"] / sum(measurements[name] for name in names)


def _value(measurements: dict[str, float], name: str) -> float:
    return measurements[name]


def _row(name: str, unit: str, value: float, baseline: float | None = None) -> dict[str, Any]:
    ratio = value / baseline if baseline else None
    return {"name": name, "value": value, "unit": unit, "baseline": baseline, "ratio": ratio, "command": "python -m bench.gateway"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--baseline_messages", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args()
    options.result.parent.mkdir(parents=True, exist_ok=True)
    rows = measure(options.messages, options.baseline_messages, options.rounds, options.result.parent, _leave_one_core())
    options.result.write_text(json.dumps(rows, indent=2) + "\n")
    print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
