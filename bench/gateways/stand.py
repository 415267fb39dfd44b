"""Sets a gateway up with a broker and a recorder of its own, and lets things happen to it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from bench.gateways.subject import Place, Span, Subject
from bench.processes import cpu_seconds
from lab.services.broker import Broker
from lab.services.child import Child, free_port, listens
from program.child import environment, python_module

DEVICES = 100
_ANSWER_SECONDS = 30.0


class Stand:
    """Runs a gateway as a context manager, in a fresh folder: `with Stand(subject, folder, 6.0) as stand: stand.publish(0, 100)`."""

    def __init__(self, subject: Subject, folder: Path, start_seconds: float) -> None:
        self._subject, self._folder, self._start_seconds = subject, folder.absolute(), start_seconds
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Returns when the gateway had time to start."""
        self._folder.mkdir(parents=True)
        broker = self._stack.enter_context(Broker(self._folder / "broker"))
        self._place = Place(self._folder, broker.port, free_port(), free_port())
        self._recorder, self.gateway = self._start_recorder(), self._start_gateway()
        self._stack.callback(self._stop_children)
        self._publisher = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="sensors")
        self._publisher.max_inflight_messages_set(1000)
        self._publisher.connect("127.0.0.1", broker.port)
        self._publisher.loop_start()
        self._stack.callback(self._publisher.disconnect)
        time.sleep(self._start_seconds)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    def publish(self, first: int, count: int) -> None:
        """Publishes readings, of DEVICES devices in turn; returns when the broker has them. The value of a reading is its number."""
        sent = [self._publisher.publish(*_reading(number), qos=1) for number in range(first, first + count)]
        for each in sent:
            each.wait_for_publish(_ANSWER_SECONDS)

    def crash(self) -> None:
        """Kills the gateway, and starts it again a second later."""
        self.gateway.kill()
        time.sleep(1.0)
        self.gateway = self._start_gateway()

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.gateway.pid)

    @property
    def broker_port(self) -> int:
        return self._place.broker

    def break_output(self) -> None:
        self._recorder.kill()

    def mend_output(self) -> None:
        self._recorder = self._start_recorder()

    def shown(self) -> dict[tuple[str, int], int]:
        """Returns how often the output shows each reading (device, number)."""
        return times_shown(self._subject.spans(self._place))

    def stop(self) -> None:
        """Stops the gateway as a service manager would, so that it may send what it has."""
        self.gateway.stop(15.0)

    def _stop_children(self) -> None:
        """Stops those of now: each may have been started again."""
        self.gateway.stop()
        self._recorder.stop(1.0)

    def _start_recorder(self) -> Child:
        command = python_module("bench.gateways.recorder", str(self._place.web), str(self._place.pubsub), str(self._folder))
        child = Child("recorder", command, self._folder / "recorder.log", environment())
        child.wait_until(lambda: listens(self._place.web) and listens(self._place.pubsub), "listening")
        return child

    def _start_gateway(self) -> Child:
        launch = self._subject.launch(self._place)
        return Child(self._subject.name, launch.command, self._folder / "gateway.log", {**environment(), **launch.environment})


def _reading(number: int) -> tuple[str, str]:
    device, seq = f"soil-{number % DEVICES:03}", number // DEVICES
    body = {"time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"), "seq": seq, "values": {"temperature": seq}}
    return f"sensors/{device}/readings", json.dumps(body)


def published(count: int) -> list[tuple[str, int]]:
    """Returns device and number of the first `count` readings."""
    return [(f"soil-{number % DEVICES:03}", number // DEVICES) for number in range(count)]


def times_shown(spans: Sequence[Span]) -> dict[tuple[str, int], int]:
    """Counts how often rows show each reading. A row that counts more or fewer than its numbers has some twice, or lacks some inside."""
    times: dict[tuple[str, int], int] = {}
    for span in spans:
        surplus = span.count - (span.last - span.first + 1)
        for number in range(span.first, span.last + 1):
            # Which ones is not known, and does not matter: first and last are there.
            extra = 1 if number < span.first + surplus else -1 if span.first < number <= span.first - surplus else 0
            times[span.device, number] = times.get((span.device, number), 0) + 1 + extra
    return times
