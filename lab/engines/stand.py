"""Sets a pipeline between a subscription and a local warehouse: started, killed, started anew; and asks what the views show of a load."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import grpc
from google.api_core.exceptions import DeadlineExceeded
from google.cloud import bigquery
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import PubsubMessage

from lab.acts.gateways import SUBSCRIPTION, TOPIC
from lab.engines.load import VALUES, Load, SiteHour
from lab.services.stack import Child, PubSub, Warehouse
from lab.witness import delivered
from lab.world.named_keys import pipeline_flag
from pipeline.io.subscription.pubsub import puller_at
from pipeline.io.subscription.puller import Puller
from program.child import python_module

READY_LINE = "messages at once are pulled and not acknowledged"
"""The pipeline says so when it begins to pull."""
_SECONDS = 600.0
_LEFT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Shown:
    """Is what the views show of a load: rows that are missing, and rows that are there once more, or hold more than was sent."""

    lost: int
    repeated: int


@dataclass(frozen=True, slots=True)
class Servers:
    """Are a warehouse, whose project has its tables, and Pub/Sub."""

    warehouse: Warehouse
    pubsub: PubSub


class Stand:
    """Holds one pipeline at a time, on a topic and a subscription of its own: `stand.start(); stand.kill()`."""

    def __init__(self, directory: Path, servers: Servers, part: str = "") -> None:
        """`part` distinguishes stands that share servers."""
        self._directory, self._warehouse, self._pubsub = directory, servers.warehouse, servers.pubsub
        self._topic, self._subscription = TOPIC + part, SUBSCRIPTION + part
        self.client: bigquery.Client = delivered.connect(servers.warehouse)
        self.log = directory / f"pipeline{part}.log"
        self._pipeline: Child | None = None
        self._channel = grpc.insecure_channel(servers.pubsub.address)
        servers.pubsub.create(self._topic, self._subscription)

    def publish(self, messages: list[PubsubMessage]) -> None:
        self._publisher.publish(topic=self._topic, messages=messages)

    def puller(self) -> Puller:
        """Returns what a pipeline pulls with."""
        return puller_at(self._subscription, self._pubsub.address)

    def start(self) -> Child:
        """Starts a pipeline on Prism."""
        flags = [
            "--runner=PrismRunner",
            f"--project={self._warehouse.project}",
            f"--input_subscription={self._subscription}",
            pipeline_flag(self._directory),
        ]
        command = python_module("pipeline", *flags, "--early_seconds=5")
        environment = {**self._warehouse.environment, "PUBSUB_EMULATOR_HOST": self._pubsub.address}
        self._pipeline = Child("pipeline", command, self.log, environment)
        return self._pipeline

    @property
    def pipeline(self) -> Child:
        assert self._pipeline is not None
        return self._pipeline

    def wait_until_pulling(self, times: int) -> None:
        """Waits until a pipeline began to pull so many times, counted over all that ran. Raises StartFailed."""
        self.pipeline.wait_until(lambda: self.log.read_text(errors="replace").count(READY_LINE) >= times, "pulling", _SECONDS)

    def engine(self) -> int | None:
        """Returns the process of the engine, which is the pipeline's only child; None before it runs."""
        children = Path(f"/proc/{self.pipeline.pid}/task/{self.pipeline.pid}/children")
        found = children.read_text().split() if children.exists() else []
        return int(found[0]) if found else None

    def recompute(self) -> None:
        command = python_module("tinybeam", "sql", "recompute", f"--project={self._warehouse.project}")
        with Child("recompute", command, self._directory / "recompute.log", self._warehouse.environment) as recompute:
            recompute.wait_until_done(_SECONDS)

    def batches(self) -> int:
        """Counts the different batches that are written."""
        [row] = self.client.query_and_wait("select count(distinct batch_id) as total from tinybeam.batches_v1")
        return int(row.total)

    def copies(self) -> int:
        """Counts rows of batches that are written once more than they need be; views show them once."""
        [row] = self.client.query_and_wait("select count(*) - count(distinct batch_id) as total from tinybeam.batches_v1")
        return int(row.total)

    def left(self) -> int:
        """Counts messages that Pub/Sub would give again; what is leased to somebody is not among them."""
        try:
            subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=self._channel))
            answer = subscriber.pull(subscription=self._subscription, max_messages=1000, timeout=_LEFT_SECONDS, retry=None)
            return len(answer.received_messages)
        except DeadlineExceeded:
            return 0

    def shown(self, load: Load) -> Shown:
        """Asks the view of summaries."""
        sql = (
            "select count(*) as total, sum(count) as counted, "
            "count(distinct concat(device_id, '/', channel, '/', window_start)) as different "
            f"from tinybeam.summaries where window_start >= timestamp '{load.begin:%Y-%m-%d %H:%M:%S}'"
        )
        [row] = self.client.query_and_wait(sql)
        counted_more = (row.counted or 0) // VALUES - row.different
        return Shown(load.rows - row.different, max(row.total - row.different, counted_more))

    def hours(self, load: Load) -> dict[SiteHour, tuple[int, float]]:
        """Asks the view of rollups for count and sum of every hour."""
        sql = (
            "select site_id, channel, window_start, count, sum from tinybeam.site_windows "
            f"where window_seconds = 3600 and window_start >= timestamp '{load.begin:%Y-%m-%d %H:%M:%S}'"
        )
        return {(row.site_id, row.channel, row.window_start): (row.count, row.sum) for row in self.client.query_and_wait(sql)}

    def close(self) -> None:
        if self._pipeline:
            self._pipeline.stop(20.0)
        self._channel.close()

    @cached_property
    def _publisher(self) -> PublisherClient:
        return PublisherClient(transport=PublisherGrpcTransport(channel=self._channel))


def kill(process: int) -> None:
    """Sends SIGKILL to a process that is not our child."""
    os.kill(process, signal.SIGKILL)


def is_gone(process: int, seconds: float = 3.0) -> bool:
    """Says whether a process that is not our child ends in time."""
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{process}").exists() and _state(process) != "Z":
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "Z"
