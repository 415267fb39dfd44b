"""Runs the benchmark `storm`: ten thousand anomalies in a minute, from Pub/Sub to a webhook, in real time and with real processes.

What is measured is what promise R23 says: how soon the first notice is there, how many there are, and that nothing is missing: every row
is stored, and each rule has one alert a device. The gateway is left out: an event leaves it as soon as its reading is stored.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
from google.cloud import bigquery
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.types import PubsubMessage

from bench.figures import Figure, Log, figure
from edge.store.batch import encode
from lab.acts.analyst import prepare
from lab.acts.gateways import ALERTS_SUBSCRIPTION, ALERTS_TOPIC, SUBSCRIPTION, TOPIC
from lab.services.child import Child
from lab.services.stack import PubSub, StartFailed, Warehouse
from lab.services.webhook_receiver import WebhookReceiver
from lab.witness import delivered
from program.child import python_module
from schemas.message import message_parts
from schemas.records import Event, Kind
from schemas.registry import Registry

SITES, DEVICES_A_SITE = 2, 50
PROMISED_SECONDS, PROMISED_NOTICES = 5.0, 6.0
_READY_SECONDS, _SETTLE_SECONDS = 90.0, 40.0
_RULE = '[[rules]]\nname = "hot"\nsource = "event"\nevent = "hot"\nopens = ["high"]\ncooldown_seconds = 60\n'
_NOTIFIER = """
[pubsub]
subscription = "{subscription}"
[notify]
state_file = "{folder}/sent.db"
[[receivers]]
kind = "webhook"
name = "webhook"
url = "{url}"
[[routes]]
receivers = ["webhook"]
"""


@dataclass(frozen=True, slots=True)
class Size:
    """Says how many anomalies come, in how many batches, over how long."""

    anomalies: int
    batches: int
    seconds: float


FULL = Size(10_000, 100, 60.0)
QUICK = Size(200, 2, 1.0)


class Downstream:
    """Runs what lies between a gateway and a person: Pub/Sub, pipeline, warehouse, notifier, webhook."""

    def __init__(self, folder: Path, warehouse: Warehouse, registry: Path) -> None:
        self._folder, self._warehouse, self._registry = folder, warehouse, registry
        self.pubsub, self.webhook = PubSub(folder), WebhookReceiver()
        self._running = ExitStack()

    def __enter__(self) -> Downstream:
        """Raises StartFailed."""
        with ExitStack() as starting:
            starting.enter_context(self.pubsub)
            self.pubsub.create(TOPIC, SUBSCRIPTION)
            self.pubsub.create(ALERTS_TOPIC, ALERTS_SUBSCRIPTION)
            starting.enter_context(self.webhook)
            starting.enter_context(self._child("notifier", "notify", "run", "--config", str(self._settings())))
            flags = [
                f"--project={self._warehouse.project}",
                f"--registry={self._registry}",
                f"--input_subscription={SUBSCRIPTION}",
                "--require_signatures=accept",
            ]
            starting.enter_context(self._child("pipeline", "pipeline", "--runner=DirectRunner", f"--alerts_topic={ALERTS_TOPIC}", *flags))
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _child(self, name: str, *words: str) -> Child:
        environment = {**self._warehouse.environment, "PUBSUB_EMULATOR_HOST": self.pubsub.address}
        return Child(name, python_module(*words), self._folder / f"{name}.log", environment)

    def _settings(self) -> Path:
        file = self._folder / "notify.toml"
        file.write_text(_NOTIFIER.format(subscription=ALERTS_SUBSCRIPTION, folder=self._folder, url=self.webhook.url))
        return file


def storm(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Measures one storm. Raises StartFailed when a server or a process does not start, or a row does not come."""
    with TemporaryDirectory(dir=folder) as directory, Warehouse(Path(directory)) as warehouse:
        client, registry = delivered.connect(warehouse), _registry(Path(directory))
        prepare(client, Registry.load(registry), lambda _: None)
        with Downstream(Path(directory), warehouse, registry) as downstream, grpc.insecure_channel(downstream.pubsub.address) as channel:
            publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            _publish(publisher, 1, [_event(0, "normal")])
            _await_rows(client, 1)
            log("the path is up")
            first = _storm(publisher, size)
            _await_rows(client, 1 + size.anomalies)
            time.sleep(_SETTLE_SECONDS)
            notices = downstream.webhook.alerts()
        opened = [
            row.n
            for row in client.query_and_wait(
                "select count(distinct alert_id) as n from tinybeam.alerts_v1 where rule = 'hot' group by subject"
            )
        ]
    command = "python -m bench storm"
    most = max(Counter(notice.subject.split("-")[0] for notice in notices).values())
    seconds = (min(notice.received for notice in notices) - first).total_seconds()
    log(f"{size.anomalies} anomalies of {len(opened)} devices: {len(notices)} notices, the first after {seconds:.1f} s")
    return [
        figure("storm: first anomaly to first notice", seconds, "s", PROMISED_SECONDS, command),
        figure("storm: notices of a rule and site", most, "notices", PROMISED_NOTICES, command),
        figure("storm: alerts of a rule and device", max(opened), "alerts", 1.0, command),
    ]


def _storm(publisher: PublisherClient, size: Size) -> datetime:
    """Publishes the anomalies, evenly; returns when the first went."""
    begin, each = time.monotonic(), size.anomalies // size.batches
    first = datetime.now(UTC)
    for batch in range(size.batches):
        time.sleep(max(0.0, begin + batch * size.seconds / size.batches - time.monotonic()))
        events = [
            _event(batch * each + number, "high" if (batch * each + number) // _DEVICES % 2 == 0 else "normal") for number in range(each)
        ]
        _publish(publisher, 2 + batch, events)
    return first


_DEVICES = SITES * DEVICES_A_SITE


def _event(number: int, state: str) -> Event:
    device = number % _DEVICES
    return Event(
        device_id=f"site{device % SITES}-{device}",
        event_time=datetime.now(UTC),
        cause="threshold",
        rule="hot",
        channel="temperature",
        previous_state=None,
        state=state,
        value=60.0,
        threshold=50.0,
        severity="warning",
        time_quality="synced",
    )


def _publish(publisher: PublisherClient, seq: int, events: list[Event]) -> None:
    batch = encode(Kind.EVENTS, events)
    envelope = batch.envelope("storm", 1, seq, datetime.now(UTC))
    attributes, data = message_parts(envelope, batch.body)
    publisher.publish(topic=TOPIC, messages=[PubsubMessage(attributes=attributes, data=data)])


def _await_rows(client: bigquery.Client, rows: int) -> None:
    """Waits until so many different events are stored. Raises StartFailed."""
    different = "count(distinct concat(batch_id, '/', cast(`row` as string)))"
    sql = f"select {different} as n from tinybeam.events_v1 where event_time > timestamp '2026-01-01'"
    deadline = time.monotonic() + _READY_SECONDS
    stored = 0
    while stored < rows:
        if time.monotonic() > deadline:
            raise StartFailed(f"{stored} of {rows} events are stored after {_READY_SECONDS:.0f} s")
        time.sleep(0.5)
        [stored] = [row.n for row in client.query_and_wait(sql)]


def _registry(folder: Path) -> Path:
    file = folder / "registry.toml"
    file.write_text("".join((*_places(), _RULE)))
    return file


def _places() -> Iterator[str]:
    for site in range(SITES):
        yield f'[[sites]]\nsite_id = "site{site}"\nname = "Site {site}"\n'
    for device in range(_DEVICES):
        site = device % SITES
        yield f'[[devices]]\ndevice_id = "site{site}-{device}"\nkind = "machine"\nsite_id = "site{site}"\n'
