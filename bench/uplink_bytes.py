"""Measures the bytes that go up in a day, against raw MQTT: real fields, a real gateway and store, with and without deadbands.

The fields are the lab's (real weather, a crop-water model), each reading with a sensor's noise on top. Raw MQTT is what a bridge would
send up: every PUBLISH packet at QoS 1, without acknowledgements. Pub/Sub's bytes are its PublishRequests as protobuf, a batch each, with
the frame headers of gRPC and HTTP/2; neither counts TLS, TCP or HTTP headers. `python -m bench.uplink_bytes` prints JSON rows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from google.pubsub_v1.types import PublishRequest, PubsubMessage

from edge.config import Config, parse
from edge.gateway import Gateway, MqttMessage
from edge.store.store import Store
from lab.world.field import KIND, REGISTRY, Field, fields, reading
from schemas.registry import Registry

TOPIC = "projects/my-project/topics/telemetry"
BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
FIRST_DAY = 40
"""Day of the fields' season at which the measured day begins."""
NOISE = {"moisture": 0.0005, "temperature": 0.05}
"""Standard deviation of a single reading: of a capacitive probe after its own averaging, and of a digital thermometer."""
DEADBAND = {"moisture": 0.005, "temperature": 0.5}
_FRAMES = 5 + 9 + 9
"""gRPC's message prefix, and HTTP/2's headers of a HEADERS and a DATA frame."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan holds the settings under which the gateway runs. `interval` is that of the sensors; all in seconds."""

    name: str
    interval: int
    deadband: bool
    batch_seconds: int = 0
    heartbeat_seconds: int = 60


PLANS = tuple(
    plan
    for interval, sensors in ((1, "1 Hz"), (60, "1/min"))
    for plan in (
        Plan(f"{sensors}, each window at once", interval, deadband=False),
        Plan(f"{sensors}, deadband", interval, deadband=True),
        Plan(f"{sensors}, deadband, batches of 15 min, heartbeats of 10", interval, True, 900, 600),
    )
)


def measure(plan: Plan, probes: Sequence[Field], hours: int, directory: Path) -> tuple[int, Counter[str]]:
    """Returns bytes of raw MQTT, and of Pub/Sub by kind of batch; `rows` and `readings` are counts. Raises AssertionError for a loss."""
    settings = _settings(plan)
    store = Store(directory / "store.db", settings.gateway.id, settings.store.max_bytes)
    gateway, raw, sent, cut = Gateway(settings, store, BEGIN), 0, Counter[str](), 0
    for now, messages in _messages(plan, probes, hours):
        raw += sum(map(_packet, messages))
        gateway.accept(messages, now)
        gateway.tick(now)
        cut = _send(store, sent, cut)
    gateway.flush(BEGIN + timedelta(hours=hours, seconds=70))
    _send(store, sent, cut)
    summarised, sent["readings"] = store.ledger().counters["readings_summarised"], len(probes) * hours * 3600 // plan.interval
    store.close()
    assert summarised == sent["readings"], f"{summarised} readings summarised of {sent['readings']}"
    return raw, sent


def figures(hours: int = 24, devices: int = 5, plans: Sequence[Plan] = PLANS) -> Iterator[dict[str, Any]]:
    """Yields rows {name, value, ...}: bytes a device and day, of summaries alone and of everything that a gateway sends."""
    registry = Registry.load(REGISTRY)
    soil = tuple(device for device in registry.devices if device.kind == KIND)
    probes = fields(replace(registry, devices=soil[:devices]))
    for plan in plans:
        with TemporaryDirectory() as directory:
            raw, sent = measure(plan, probes, hours, Path(directory))
        days = devices * hours / 24
        everything = sum(sent[kind] for kind in ("summaries", "heartbeats"))
        yield _row(f"summaries up, {plan.name}", sent["summaries"] / days, raw / days)
        yield _row(f"everything up, {plan.name}, {devices} devices", everything / days, raw / days)
        yield _row(f"summary rows, {plan.name}", sent["rows"] / days, sent["readings"] / days, "row/device/day")


def _row(name: str, value: float, baseline: float, unit: str = "B/device/day") -> dict[str, Any]:
    command = "python -m bench.uplink_bytes"
    return {
        "name": name,
        "value": round(value),
        "unit": unit,
        "baseline": round(baseline),
        "ratio": float(f"{value / baseline:.3g}"),
        "command": command,
    }


def _settings(plan: Plan) -> Config:
    soil: dict[str, Any] = {"name": "soil", "devices": ["*"], "channels": {"moisture": "m3/m3", "temperature": "degC"}}
    content = {
        "gateway": {"id": "gateway-1", "state_dir": "state", "heartbeat_seconds": plan.heartbeat_seconds},
        "uplink": {"kind": "pubsub", "topic": TOPIC},
        "batches": {"seconds": plan.batch_seconds},
        "sensors": [soil | ({"deadband": DEADBAND} if plan.deadband else {})],
    }
    return parse(content, Path("gateway.toml"))


def _messages(plan: Plan, probes: Sequence[Field], hours: int) -> Iterator[tuple[datetime, list[MqttMessage]]]:
    """Yields ten seconds of readings at a time, or those of a single moment; each sensor has its own offset within its interval."""
    rng, step = Random(1), max(10, plan.interval)
    for second in range(0, hours * 3600, step):
        due = range(second, second + step, plan.interval)
        messages = [_message(probe, at, number, plan.interval, rng) for at in due for number, probe in enumerate(probes)]
        yield BEGIN + timedelta(seconds=second + step), messages


def _message(probe: Field, second: int, number: int, interval: int, rng: Random) -> MqttMessage:
    at = second + interval * (number + 1) / 20
    exact = probe.values(FIRST_DAY + at / 86_400)
    values = {name: round(exact[name] + rng.gauss(0, NOISE[name]), digits) for name, digits in (("moisture", 4), ("temperature", 2))}
    return MqttMessage(f"sensors/{probe.device_id}/readings", reading(BEGIN + timedelta(seconds=at), second // interval, "b1", values))


def _packet(message: MqttMessage) -> int:
    """Counts the bytes of its PUBLISH packet: type, length (one byte or two), topic with its length, packet identifier, payload."""
    rest = 2 + len(message.topic) + 2 + len(message.payload)
    return 1 + (1 if rest < 128 else 2) + rest


def _send(store: Store, sent: Counter[str], cut: int) -> int:
    """Counts the batches after `cut` and confirms them; returns the seq of the last."""
    for batch in store.batches(cut, 1000):
        attributes: Mapping[str, str] = batch.envelope.attributes()
        request = PublishRequest(topic=TOPIC, messages=[PubsubMessage(data=batch.body, attributes=dict(attributes))])
        sent[batch.envelope.kind] += len(PublishRequest.serialize(request)) + _FRAMES
        sent["rows"] += batch.envelope.row_count if batch.envelope.kind == "summaries" else 0
        cut = batch.envelope.seq
        store.confirm([cut])
    return cut


if __name__ == "__main__":
    for row in figures():
        print(json.dumps(row), flush=True)
