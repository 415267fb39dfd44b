"""The program as it is started: export files into the warehouse, a live subscription into the warehouse, and a clean stop."""

from __future__ import annotations

import os
import signal
import subprocess
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from drongo.services.pubsub.emulator import PubSubEmulator
from google.api_core.exceptions import DeadlineExceeded
from google.cloud import pubsub_v1

from lab.services.child import free_port
from pipeline.elements import EXPORT_FILE, wall_clock
from pipeline.io.sources import _messages
from pipeline.io.warehouse import Warehouse
from schemas.envelope import entry
from schemas.notification import parse
from schemas.registry import Registry
from sql import registry as analyst
from tests.pipeline.bodies import message, numbered, one_of, summary
from tests.preloaded import preloaded
from tests.waiting import eventually

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
[[rules]]
name = "dry"
source = "event"
event = "dry"
opens = ["low"]
cooldown_seconds = 4
[[rules]]
name = "gateway-silent"
source = "silence"
subject = "gateway"
silent_seconds = 5
gateways = ["alerting"]
"""
"""The registry of `python -m pipeline`."""


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.toml"
    path.write_text(REGISTRY)
    return path


def arguments(where: Warehouse, registry: Path) -> list[str]:
    local = [f"--bigquery_endpoint={where.endpoint}", f"--bigquery_storage_endpoint={where.storage_endpoint}"]
    return [*preloaded(), "pipeline", f"--project={where.project}", f"--registry={registry}", "--require_signatures=accept", *local]


def count(where: Warehouse, gateway_id: str) -> tuple[int, int]:
    """(rows, different rows)."""
    different = "count(distinct concat(batch_id, '/', cast(`row` as string)))"
    sql = f"select count(*) as n, {different} as d from tinybeam.summaries_v1 where gateway_id = '{gateway_id}'"
    with where.client() as client:
        [row] = client.query_and_wait(sql)
    return row.n, row.d


def arrived(holds: Callable[[], bool]) -> bool:
    """Whether it came true in time; who is asked often does little else."""
    return eventually(holds, 120, every=0.5)


def metrics(port: int) -> dict[str, str]:
    """What the pipeline counts; a row is counted after it can be seen in the warehouse."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        return dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#"))


def packed(gateway_id: str, seq: int) -> bytes:
    sent = message(numbered(5), gateway_id=gateway_id, seq=seq)
    return entry(sent.attributes, sent.body)


def test_export_files_with_damage_between_the_entries_arrive(tables: Warehouse, registry: Path, tmp_path: Path) -> None:
    (tmp_path / "one.tbb").write_bytes(packed("offline", 1) + b"damage" + packed("offline", 2))
    (tmp_path / "two.tbb").write_bytes(packed("offline", 2) + packed("offline", 3)[:-1])
    done = subprocess.run(
        [*arguments(tables, registry), "--mode=batch", f"--input={tmp_path}/*.tbb", f"--temp_location={tmp_path}", "--no_recompute"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert count(tables, "offline") == (10, 10)
    words = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert words[0] == "read 5 messages: 2 batches, 1 repeated, 2 set aside"
    assert {"batches_v1 2 rows", "rejects_v1 2 rows", "summaries_v1 10 rows"} <= set(words)
    assert words[-1] == "rejects: 2 broken_entry"


def test_a_folder_without_export_files_is_called_wrong_and_nothing_is_loaded(tables: Warehouse, registry: Path, tmp_path: Path) -> None:
    command = [*arguments(tables, registry), "--mode=batch", f"--input={tmp_path}/none"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"pipeline: --input={tmp_path}/none names no file: nothing matches {tmp_path}/none"


def test_an_export_file_gives_its_sound_entries_and_the_bytes_between() -> None:
    class Export:
        metadata = type("Metadata", (), {"path": "export.tbb", "size_in_bytes": 1})

        @staticmethod
        def open() -> Any:
            import io

            return io.BytesIO(packed("offline", 1) + b"damage")

    good, broken = _messages(Export(), wall_clock)
    assert (good.attributes["seq"], broken.attributes, broken.body) == ("1", {EXPORT_FILE: "export.tbb"}, b"damage")
    assert good.received_time == message([summary()]).received_time


@pytest.fixture
def subscription(request: pytest.FixtureRequest) -> Iterator[tuple[pubsub_v1.PublisherClient, str, str]]:
    emulator = PubSubEmulator()
    before = dict(os.environ)
    emulator.start()
    own = request.node.name[:40]  # the emulator's topics outlive it in a process
    topic, name = f"projects/demo-project/topics/telemetry-{own}", f"projects/demo-project/subscriptions/pipeline-{own}"
    publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
    publisher.create_topic(name=topic)
    subscriber.create_subscription(name=name, topic=topic)
    yield publisher, topic, name
    emulator.stop()
    os.environ.clear()
    os.environ.update(before)


def test_alerts_are_stored_and_published_and_what_was_held_back_follows_by_itself(
    tables: Warehouse, registry: Path, subscription: Any
) -> None:
    publisher, topic, name = subscription
    alerts, notifications = topic.replace("telemetry", "alerts"), name.replace("pipeline", "notifications")
    publisher.create_topic(name=alerts)
    with tables.client() as client:  # the pipeline would go on with what another test left open
        client.query_and_wait("truncate table tinybeam.alerts_v1")
    notified: list[tuple[str, str, str]] = []
    with pubsub_v1.SubscriberClient() as subscriber:
        subscriber.create_subscription(name=notifications, topic=alerts)
        running = subprocess.Popen([*arguments(tables, registry), f"--input_subscription={name}", f"--alerts_topic={alerts}"])
        try:
            now = wall_clock()
            states = [
                replace(one_of("events"), event_time=now + timedelta(microseconds=at), state=state) for at, state in enumerate(FLAPPING)
            ]
            sent = message(states, gateway_id="alerting", seq=1)
            publisher.publish(topic, sent.body, **sent.attributes).result(timeout=30)
            assert eventually(lambda: len(notified) == 4 or bool(notified.extend(pulled(subscriber, notifications)))), notified
            running.send_signal(signal.SIGTERM)
            assert running.wait(timeout=20) == 0
        finally:
            running.kill()
            running.wait()
    of_device = [("dry", "d1", state) for state in ("opened", "resolved", "updated")]
    assert sorted(notified) == [*of_device, ("gateway-silent", "alerting", "opened")]
    with tables.client() as client:
        stored = client.query_and_wait("select rule, subject, state from tinybeam.alerts_v1 where subject in ('d1', 'alerting')")
        assert sorted(tuple(row) for row in stored) == sorted(notified)


FLAPPING = ("low", "normal") * 500 + ("low",)


def pulled(subscriber: pubsub_v1.SubscriberClient, name: str) -> list[tuple[str, str, str]]:
    """(rule, subject, state) of the notifications that wait, acknowledged."""
    try:
        received = subscriber.pull(subscription=name, max_messages=10, timeout=5.0, retry=None).received_messages
    except DeadlineExceeded:
        return []
    if received:
        subscriber.acknowledge(subscription=name, ack_ids=[one.ack_id for one in received])
    return [(alert.rule, alert.subject, alert.state) for alert in (parse(one.message.data) for one in received)]


def test_a_device_that_is_registered_while_the_pipeline_runs_needs_no_relaunch_and_its_rows_come_in_once(
    tables: Warehouse, subscription: Any
) -> None:
    publisher, topic, name = subscription
    known = Registry.parse(tomllib.loads(REGISTRY))
    with tables.client() as client:
        analyst.load(client, replace(known, devices=known.devices[:1]))
        command = [word for word in arguments(tables, Path()) if not word.startswith("--registry=")]
        running = subprocess.Popen([*command, f"--input_subscription={name}", "--registry_refresh=1s"])
        try:
            for seq in (1, 2):
                sent = message([summary("d1"), summary("d2")], gateway_id="later", seq=seq)
                publisher.publish(topic, sent.body, **sent.attributes).result(timeout=30)
            assert arrived(lambda: count(tables, "later") == (2, 2)), count(tables, "later")
            analyst.load(client, known)
            assert arrived(lambda: count(tables, "later")[1] == 4), count(tables, "later")
            sent = message([summary("d1"), summary("d2")], gateway_id="later", seq=3)
            publisher.publish(topic, sent.body, **sent.attributes).result(timeout=30)
            assert arrived(lambda: count(tables, "later")[1] == 6), count(tables, "later")
            assert count(tables, "later") == (6, 6), "each once"
            running.send_signal(signal.SIGTERM)
            assert running.wait(timeout=30) == 0
        finally:
            running.kill()
            running.wait()
            analyst.load(client, Registry((), ()))


def test_a_live_subscription_arrives_once_and_sigterm_stops(tables: Warehouse, registry: Path, subscription: Any) -> None:
    publisher, topic, name = subscription
    port = free_port()
    flags = [f"--input_subscription={name}", "--early_seconds=1", f"--metrics_port={port}"]
    running = subprocess.Popen([*arguments(tables, registry), *flags])
    try:
        for seqs, rows in (((1, 2, 1, 3, 2), 15), ((4,), 20)):
            for seq in seqs:
                sent = message(numbered(5), gateway_id="live", seq=seq)
                publisher.publish(topic, sent.body, **sent.attributes).result(timeout=30)
            assert arrived(lambda rows=rows: count(tables, "live") == (rows, rows)), count(tables, "live")
        assert arrived(lambda: metrics(port).get('tinybeam_pipeline_rows_total{table="summaries_v1"}') == "20"), metrics(port)
        exposed = metrics(port)
        assert exposed["tinybeam_pipeline_batches_total"] == "4"
        assert exposed["tinybeam_pipeline_batch_age_seconds_count"] == "4"
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=20) == 0
    finally:
        running.kill()
        running.wait()
