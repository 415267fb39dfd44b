"""What a day is said to cost is counted as what is sent would be."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from google.pubsub_v1.types import PublishRequest

from edge.day_cost import Traffic, of_config, of_store, packet_bytes
from edge.gateway import Gateway, MqttMessage
from edge.store.store import OutboxBatch, Store
from edge.uplink.google_publisher import publish_request
from edge.uplink.limits import Limits
from edge.uplink.pubsub_wire import HEADER_BYTES, TOKEN_BYTES, wire
from edge.uplink.signer import signed_wire
from tests.edge.gateways import START, config, message
from tests.schemas.test_message import ONE

TOPIC = "projects/my-project/topics/telemetry"


@pytest.mark.parametrize(("devices", "shard"), [(1, None), (7, "north"), (300, None)])
def test_requests_are_counted_as_protocol_buffers_write_them(tmp_path: Path, devices: int, shard: str | None) -> None:
    settings = config(tmp_path)
    store = Store(tmp_path / "store.db", "gw-1", 64 << 20)
    gateway = Gateway(settings, store, START)
    gateway.accept([message(f"d{number}", {"values": {"moisture": 0.3 + number / 1000}}) for number in range(devices)], START)
    gateway.flush(START + timedelta(minutes=1))
    traffic, waiting = Traffic(), store.batches(0, 100)
    of_store(store, wire(TOPIC, shard), traffic)
    store.close()
    assert {batch.envelope.cut_time for batch in waiting} == {START + timedelta(minutes=1)}
    request = len(PublishRequest.serialize(publish_request(TOPIC, waiting, shard)))
    assert (traffic.requests, traffic.up.total()) == (1, request + HEADER_BYTES + TOKEN_BYTES)


@pytest.mark.parametrize(("payload", "bytes_of_length"), [(10, 1), (200, 2), (20_000, 3)])
def test_a_packet_is_counted_with_its_head(payload: int, bytes_of_length: int) -> None:
    assert packet_bytes(MqttMessage("sensors/d1/readings", b"x" * payload)) == 1 + bytes_of_length + 2 + 19 + 2 + payload


def test_a_day_costs_less_the_rarer_batches_are(tmp_path: Path) -> None:
    def cost(seconds: int) -> int:
        rare = config(tmp_path, batches={"seconds": seconds}, gateway={"heartbeat_seconds": seconds}, windows={"seconds": 60})
        text = of_config(rare).sentence
        assert "if 5 devices (5 of each pattern) send all their channels once a minute" in text
        return int(text.split("about ")[1].split(" kB a day")[0].replace(",", ""))

    assert cost(120) > 3 * cost(900) > 0


def test_a_class_of_frames_alone_is_not_estimated(tmp_path: Path) -> None:
    frames = [{"name": "machine", "devices": ["m*"], "frames": {"acceleration": "m/s2"}}]
    assert "not estimated" in of_config(config(tmp_path, sensors=frames)).sentence


def test_a_day_that_costs_more_than_a_limit_is_called_so_by_the_limit(tmp_path: Path) -> None:
    day = of_config(config(tmp_path, batches={"seconds": 60}, windows={"seconds": 60})).bytes
    assert Limits(max_bytes_per_day=int(day) + 1, max_bytes_per_second=100).excess(day) is None
    assert "1.5 times what uplink.limits.max_bytes_per_day allows" in (Limits(max_bytes_per_day=int(day / 1.5)).excess(day) or "")
    assert "uplink.limits.max_bytes_per_second" in (Limits(max_bytes_per_second=100).excess(day * 10) or "")


def test_a_signature_is_counted_where_batches_are_signed() -> None:
    batch = OutboxBatch(1, ONE, b"body")
    plain = wire(TOPIC)
    assert signed_wire(plain).message(batch) == plain.message(replace(batch, signature=bytes(18))) == plain.message(batch) + 18
