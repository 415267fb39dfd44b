"""Measures the bytes that go up in a day, against raw MQTT: real fields, a real gateway and store, with and without deadbands.

The fields are the lab's (real weather, a crop-water model), each reading with a sensor's noise on top and its own time on the way. Raw MQTT
is what a bridge would send up: every PUBLISH packet at QoS 1, without acknowledgements. Pub/Sub's bytes are its PublishRequests as
Protocol Buffers, one for what waits together, and what Google's client sends around each, measured at the start (bench/requests.py): with
the token of a service account, which goes with each request. TLS and TCP are in neither. `python -m bench.uplink_bytes` prints JSON rows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from google.pubsub_v1.types import PublishRequest

from bench import requests
from edge.config import Config, parse
from edge.day_cost import in_memory, packet_bytes
from edge.gateway import Gateway, MqttMessage
from edge.store.store import OutboxBatch, Store
from edge.uplink.google_publisher import publish_request
from lab.world.field import KIND, REGISTRY, Field, fields, reading
from schemas.records import Kind, LinkState
from schemas.registry import Registry

TOPIC = "projects/my-project/topics/telemetry"
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
FIRST_DAY = 40
"""Day of the fields' season at which the measured day begins."""
NOISE = {"moisture": 0.0005, "temperature": 0.05}
"""Standard deviation of a single reading: of a capacitive probe after its own averaging, and of a digital thermometer."""
DEADBAND = {"moisture": 0.005, "temperature": 0.5}
_ON_THE_WAY = 0.005, 0.4
"""Seconds from a reading to the gateway."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan holds the settings under which the gateway runs, and its sensors' interval in seconds. None: the default."""

    name: str
    interval: int
    deadband: bool
    seconds: int | None = None
    """Of batches and of heartbeats."""


PLANS = tuple(
    plan
    for interval, sensors in ((1, "1 Hz"), (60, "1/min"))
    for plan in (
        Plan(f"{sensors}, default settings", interval, deadband=False),
        Plan(f"{sensors}, deadband, batches of 15 min", interval, True, 900),
        Plan(f"{sensors}, batches and heartbeats of 1 min", interval, False, 60),
    )
)


def played(plan: Plan, probes: Sequence[Field], hours: int, directory: Path) -> Iterator[OutboxBatch]:
    """Yields every batch that a gateway cuts of so many hours. Raises AssertionError for a loss."""
    for _, batches in _played(plan, probes, hours, directory):
        yield from batches


def soil_fields(devices: int) -> tuple[Field, ...]:
    registry = Registry.load(REGISTRY)
    soil = tuple(device for device in registry.devices if device.kind == KIND)
    return fields(replace(registry, devices=soil[:devices]))


def figures(hours: int = 24, devices: int = 5, plans: Sequence[Plan] = PLANS) -> Iterator[dict[str, Any]]:
    """Yields rows {name, value, ...}: bytes a device and day, of everything that a gateway sends, and of what is in it."""
    headers = requests.bytes_around()
    token = requests.bytes_around(requests.TOKEN) - headers
    yield _row("around a request", headers, None, "B")
    yield _row("token with each request, a service account's", token, None, "B")
    yield _row("token with each request, a federated identity's", requests.bytes_around(requests.FEDERATED_TOKEN) - headers, None, "B")
    probes = soil_fields(devices)
    for plan in plans:
        raw, sent = 0, Counter[str]()
        with TemporaryDirectory(dir=in_memory()) as directory:
            for size, batches in _played(plan, probes, hours, Path(directory)):
                raw += size
                sent += _counted(batches)
        days = devices * hours / 24
        everything = sent["messages"] + sent["requests"] * (headers + token)
        yield _row(f"everything up, {plan.name}, {devices} devices", everything / days, raw / days)
        yield _row(f"without the token, {plan.name}", (everything - sent["requests"] * token) / days, raw / days)
        yield _row(f"requests, {plan.name}", sent["requests"] / hours * 24, None, "requests/gateway/day")
        yield _row(f"summary rows, {plan.name}", sent["rows"] / days, 86_400 / plan.interval, "rows/device/day")


def _counted(batches: Sequence[OutboxBatch]) -> Counter[str]:
    """Counts what goes in one request; nothing goes without batches."""
    if not batches:
        return Counter()
    rows = sum(batch.envelope.row_count for batch in batches if batch.envelope.kind == Kind.SUMMARIES)
    return Counter(messages=len(PublishRequest.serialize(publish_request(TOPIC, batches))), requests=1, rows=rows)


def _played(plan: Plan, probes: Sequence[Field], hours: int, directory: Path) -> Iterator[tuple[int, list[OutboxBatch]]]:
    """Yields the raw bytes of some readings, and the batches that wait after them. Raises AssertionError for a loss."""
    settings = _settings(plan)
    store = Store(directory / "store.db", settings.gateway.id, settings.store.max_bytes)
    gateway = Gateway(settings, store, BEGIN)
    gateway.links = replace(gateway.links, uplink=LinkState.ONLINE, broker=LinkState.ONLINE)
    for now, messages in _messages(plan, probes, hours):
        gateway.accept(messages, now)
        for tick in (now, now + timedelta(seconds=1)):
            gateway.tick(tick)
        yield sum(map(packet_bytes, messages)), _taken(store)
    gateway.flush(gateway.end_of_windows(BEGIN + timedelta(hours=hours, seconds=70)))
    yield 0, _taken(store)
    summarised, expected = store.ledger().counters["readings_summarised"], len(probes) * hours * 3600 // plan.interval
    store.close()
    assert summarised == expected, f"{summarised} readings summarised of {expected}"


def _taken(store: Store) -> list[OutboxBatch]:
    """Takes what waits, and confirms it."""
    waiting = store.pending(1000)
    store.confirm([batch.key for batch in waiting])
    return waiting


def _row(name: str, value: float, baseline: float | None, unit: str = "B/device/day") -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value),
        "unit": unit,
        "baseline": round(baseline) if baseline else None,
        "ratio": float(f"{value / baseline:.3g}") if baseline else None,
        "command": "python -m bench.uplink_bytes",
    }


def _settings(plan: Plan) -> Config:
    soil: dict[str, Any] = {"name": "soil", "devices": ["*"], "channels": {"moisture": "m3/m3", "temperature": "degC"}}
    content = {
        "gateway": {"id": "gateway-1", "state_dir": "state"} | ({"heartbeat_seconds": plan.seconds} if plan.seconds else {}),
        "uplink": {"kind": "pubsub", "topic": TOPIC},
        "batches": {"seconds": plan.seconds} if plan.seconds else {},
        "sensors": [soil | ({"deadband": DEADBAND} if plan.deadband else {})],
    }
    return parse(content, Path("gateway.toml"))


def _messages(plan: Plan, probes: Sequence[Field], hours: int) -> Iterator[tuple[datetime, list[MqttMessage]]]:
    """Yields ten seconds of readings at a time, or those of a single moment; each sensor has its own offset within its interval."""
    rng, step = Random(1), max(10, plan.interval)
    for second in range(0, hours * 3600, step):
        due = range(second, second + step, plan.interval)
        messages = [_message(probe, at, number, plan.interval, rng) for at in due for number, probe in enumerate(probes)]
        yield BEGIN + timedelta(seconds=second + step + rng.uniform(*_ON_THE_WAY)), messages


def _message(probe: Field, second: int, number: int, interval: int, rng: Random) -> MqttMessage:
    at = second + interval * (number + 1) / 20
    exact = probe.values(FIRST_DAY + at / 86_400)
    values = {name: round(exact[name] + rng.gauss(0, NOISE[name]), digits) for name, digits in (("moisture", 4), ("temperature", 2))}
    return MqttMessage(f"sensors/{probe.device_id}/readings", reading(BEGIN + timedelta(seconds=at), second // interval, "b1", values))


if __name__ == "__main__":
    for row in figures():
        print(json.dumps(row), flush=True)
