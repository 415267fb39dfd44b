"""The program as it is started, on a real Pub/Sub: each notification once, through failures, redelivery, kill -9 and restart."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import grpc
import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from lab.services.child import REPOSITORY, free_port
from lab.services.stack import PubSub
from schemas.notification import encode
from schemas.records import Alert
from tests.notify.alerts import SUBSCRIPTION, TOPIC, Hook, alert
from tests.waiting import eventually

CONFIG = """
[pubsub]
subscription = "{subscription}"
[notify]
state_file = "sent.db"
gather_seconds = 0
[retry]
initial_interval = 0.1
max_interval = 0.5
{receivers}
[[routes]]
receivers = {names}
"""


AFTER_KILL_SECONDS = 200.0
"""Google's emulator (0.8.20) goes on sending a part of the messages to the stream of a process that was killed, each for a lease of 10 s,
so that one comes after one or several leases. Pub/Sub itself closes such a stream."""


@pytest.fixture(scope="module")
def pubsub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PubSub]:
    with PubSub(tmp_path_factory.mktemp("pubsub")) as running:
        yield running


class Topic:
    """A topic of a single test, with the notifier's subscription."""

    def __init__(self, pubsub: PubSub, name: str) -> None:
        self.address, self.topic, self.subscription = pubsub.address, f"{TOPIC}-{name}", f"{SUBSCRIPTION}-{name}"
        with self._subscriber() as subscriber, grpc.insecure_channel(self.address) as channel:
            PublisherClient(transport=PublisherGrpcTransport(channel=channel)).create_topic(name=self.topic)
            subscriber.create_subscription(name=self.subscription, topic=self.topic, ack_deadline_seconds=10)

    def publish(self, *bodies: bytes) -> None:
        with grpc.insecure_channel(self.address) as channel:
            publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            publisher.publish(topic=self.topic, messages=[{"data": body} for body in bodies])

    def is_empty(self) -> bool:
        """Nothing is left to be delivered."""
        with self._subscriber() as subscriber:
            try:
                return not subscriber.pull(subscription=self.subscription, max_messages=10, timeout=2.0, retry=None).received_messages
            except DeadlineExceeded:
                return True

    def waiting(self) -> list[bytes]:
        """What Pub/Sub delivers at once to whoever asks next; it is given back."""
        with self._subscriber() as subscriber:
            ack_ids: dict[bytes, str] = {}
            try:
                while found := subscriber.pull(subscription=self.subscription, max_messages=10, timeout=2.0, retry=None).received_messages:
                    ack_ids |= {received.message.data: received.ack_id for received in found}
            except DeadlineExceeded:
                pass
            if ack_ids:
                subscriber.modify_ack_deadline(subscription=self.subscription, ack_ids=list(ack_ids.values()), ack_deadline_seconds=0)
            return list(ack_ids)

    @contextmanager
    def _subscriber(self) -> Iterator[SubscriberClient]:
        with grpc.insecure_channel(self.address) as channel:
            yield SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))


@pytest.fixture
def topic(pubsub: PubSub, request: pytest.FixtureRequest) -> Topic:
    return Topic(pubsub, str(abs(hash(request.node.name)) % 10**9))


def fresh(number: int = 1, revision: int = 0) -> Alert:
    return alert(number, revision, as_of=datetime.now(UTC))


def body(alert: Alert) -> bytes:
    return encode(alert)[1]


def configure(folder: Path, topic: Topic, *urls: str) -> Path:
    receivers = "\n".join(f'[[receivers]]\nkind = "webhook"\nname = "hook{number}"\nurl = "{url}"' for number, url in enumerate(urls))
    names = [f"hook{number}" for number in range(len(urls))]
    file = folder / "notify.toml"
    file.write_text(CONFIG.format(subscription=topic.subscription, receivers=receivers, names=str(names).replace("'", '"')))
    return file


@contextmanager
def notifier(file: Path, topic: Topic) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tinybeam", "notify", "run", "--config", str(file)]
    environment = {"PUBSUB_EMULATOR_HOST": topic.address, "PATH": "/usr/bin"}
    running = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def stop(running: subprocess.Popen[str]) -> str:
    """Politely; gives what it logged."""
    running.send_signal(signal.SIGTERM)
    _, log = running.communicate(timeout=30)
    assert running.returncode == 0, log
    return log


def test_it_sends_once_through_failures_malformed_messages_and_repeats(topic: Topic, tmp_path: Path) -> None:
    with Hook(answers=[500, 503]).listening() as hook, notifier(configure(tmp_path, topic, hook.url), topic) as running:
        opened = fresh()
        topic.publish(b"no notification", body(opened), body(opened))
        assert eventually(lambda: hook.received() == [(opened.alert_id, 0)])
        topic.publish(body(opened), body(fresh(2)))
        assert eventually(lambda: len(hook.received()) == 2)
        log = stop(running)
    assert hook.received() == [(opened.alert_id, 0), (fresh(2).alert_id, 0)]
    assert "is no notification" in log
    assert "it answered 500" in log
    assert "Traceback" not in log
    assert topic.is_empty()


def test_a_kill_between_receiver_and_acknowledgement_sends_nothing_twice(topic: Topic, tmp_path: Path) -> None:
    """The second receiver is down, so the message is not acknowledged though the first receiver has it."""
    port = free_port()
    with Hook().listening() as first:
        file = configure(tmp_path, topic, first.url, f"http://127.0.0.1:{port}/hook")
        with notifier(file, topic) as running:
            topic.publish(body(fresh()))
            assert eventually(lambda: len(first.received()) == 1)
            topic.publish(body(fresh(2)))
            # A receiver gets one notification after the other: when the third is there, it is on disk that the first two were sent.
            topic.publish(body(fresh(4)))
            assert eventually(lambda: len(first.received()) == 3)
            running.kill()
        with Hook().listening(port) as second, notifier(file, topic) as running:
            assert eventually(lambda: len(second.received()) == 3, AFTER_KILL_SECONDS)
            topic.publish(body(fresh(3)))
            assert eventually(lambda: len(second.received()) == 4, AFTER_KILL_SECONDS)
            stop(running)
        everyone = sorted((fresh(number).alert_id, 0) for number in (1, 2, 3))
        last = (fresh(4).alert_id, 0)
        assert sorted(key for key in second.received() if key != last) == everyone
        assert sorted(key for key in first.received() if key != last) == everyone


def test_told_to_stop_it_gives_back_at_once_what_is_not_sent(topic: Topic, tmp_path: Path) -> None:
    port = free_port()
    file = configure(tmp_path, topic, f"http://127.0.0.1:{port}/hook")
    alerts = [fresh(number) for number in range(5)]
    with notifier(file, topic) as running:
        topic.publish(*map(body, alerts))
        assert running.stderr is not None
        refused: set[str] = set()
        while len(refused) < len(alerts):
            line = running.stderr.readline()
            assert line, refused
            refused |= {alert.alert_id for alert in alerts if "refused" in line and f" {alert.alert_id} " in line}
        stop(running)
    # No lease of the notifier's is over by now: a lease is 10 s.
    assert sorted(topic.waiting()) == sorted(map(body, alerts))
    with Hook().listening(port) as hook, notifier(file, topic) as running:
        assert eventually(lambda: len(hook.received()) == len(alerts), 30.0)
        stop(running)
        assert sorted(hook.received()) == sorted((alert.alert_id, 0) for alert in alerts)


def test_a_subscription_that_is_not_there_ends_it_with_one_line(pubsub: PubSub, tmp_path: Path) -> None:
    topic = Topic(pubsub, "there")
    topic.subscription = SUBSCRIPTION + "-nowhere"
    with notifier(configure(tmp_path, topic, "http://localhost/"), topic) as running:
        _, log = running.communicate(timeout=60)
    assert running.returncode == 1
    assert log.splitlines()[-1].startswith(f"Error: {topic.subscription}: ")
    assert "Traceback" not in log


def test_the_first_of_a_storm_is_there_within_five_seconds_of_real_time_and_the_rest_does_not_follow_one_by_one(
    topic: Topic, tmp_path: Path
) -> None:
    """`python -m bench storm` measures it with the pipeline before the notifier."""
    with Hook().listening() as hook:
        file = configure(tmp_path, topic, hook.url)
        file.write_text(file.read_text().replace("gather_seconds = 0\n", ""))
        with notifier(file, topic) as running:
            topic.publish(body(replace(fresh(), rule="wet", alert_id="wet:d1:1")))
            assert eventually(lambda: hook.received() == [("wet:d1:1", 0)])
            began = monotonic()
            topic.publish(*(body(fresh(number)) for number in range(2, 1002)))
            assert eventually(lambda: len(hook.received()) == 2)
            assert monotonic() - began <= 5.0
            assert eventually(topic.is_empty)
            stop(running)
    assert len(hook.received()) == 2
