"""The program as it is started: card files into the warehouse, a live subscription into the warehouse, and a clean stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from drongo.services.pubsub.emulator import PubSubEmulator
from google.cloud import pubsub_v1

from pipeline.elements import CARD_FILE, wall_clock
from pipeline.sources import _messages
from pipeline.warehouse import Warehouse
from schemas.envelope import frame
from tests.pipeline.bodies import message, numbered, summary

REGISTRY = """
[[sites]]
site_id = "north"
name = "North"
[[devices]]
device_id = "d1"
kind = "soil"
site_id = "north"
[[devices]]
device_id = "d2"
kind = "soil"
site_id = "north"
"""
"""What `python -m pipeline` is given."""


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.toml"
    path.write_text(REGISTRY)
    return path


def arguments(where: Warehouse, registry: Path) -> list[str]:
    local = [f"--bigquery_endpoint={where.endpoint}", f"--bigquery_storage_endpoint={where.storage_endpoint}"]
    return [sys.executable, "-m", "pipeline", f"--project={where.project}", f"--registry={registry}", *local]


def count(where: Warehouse, gateway_id: str) -> tuple[int, int]:
    """(rows, different rows)."""
    different = "count(distinct concat(batch_id, '/', cast(`row` as string)))"
    sql = f"select count(*) as n, {different} as d from tinybeam.summaries_v1 where gateway_id = '{gateway_id}'"
    with where.client() as client:
        [row] = client.query_and_wait(sql)
    return row.n, row.d


def eventually(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def framed(gateway_id: str, seq: int) -> bytes:
    sent = message(numbered(5), gateway_id=gateway_id, seq=seq)
    return frame(sent.attributes, sent.body)


def test_card_files_with_damage_between_the_frames_arrive(tables: Warehouse, registry: Path, tmp_path: Path) -> None:
    (tmp_path / "one.tbb").write_bytes(framed("card", 1) + b"damage" + framed("card", 2))
    (tmp_path / "two.tbb").write_bytes(framed("card", 2) + framed("card", 3)[:-1])
    done = subprocess.run(
        [*arguments(tables, registry), "--mode=batch", f"--input={tmp_path}/*.tbb", f"--temp_location={tmp_path}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert count(tables, "card") == (10, 10)


def test_a_card_gives_its_sound_frames_and_the_bytes_between() -> None:
    class Card:
        metadata = type("Metadata", (), {"path": "card.tbb"})

        @staticmethod
        def open() -> Any:
            import io

            return io.BytesIO(framed("card", 1) + b"damage")

    good, broken = _messages(Card(), wall_clock)
    assert (good.attributes["seq"], broken.attributes, broken.body) == ("1", {CARD_FILE: "card.tbb"}, b"damage")
    assert good.received_time == message([summary()]).received_time


@pytest.fixture
def subscription(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[pubsub_v1.PublisherClient, str, str]]:
    emulator = PubSubEmulator()
    before = dict(os.environ)
    emulator.start()
    topic, name = "projects/demo-project/topics/telemetry", "projects/demo-project/subscriptions/pipeline"
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    publisher.create_topic(name=topic)
    subscriber.create_subscription(name=name, topic=topic)
    yield publisher, topic, name
    emulator.stop()
    os.environ.clear()
    os.environ.update(before)


def test_a_live_subscription_arrives_once_and_sigterm_stops(tables: Warehouse, registry: Path, subscription: Any) -> None:
    publisher, topic, name = subscription
    running = subprocess.Popen([*arguments(tables, registry), f"--input_subscription={name}", "--early_seconds=1"])
    try:
        for seq in (1, 2, 1, 3, 2):
            sent = message(numbered(5), gateway_id="live", seq=seq)
            publisher.publish(topic, sent.body, **sent.attributes).result(timeout=30)
        assert eventually(lambda: count(tables, "live") == (15, 15)), count(tables, "live")
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 0
    finally:
        running.kill()
        running.wait()
