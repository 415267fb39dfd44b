"""A subscription in memory that gives again what nobody acknowledged, as Pub/Sub does; its time is the test's."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.elements import ReceivedMessage
from pipeline.io.subscription.puller import Unreachable


class Time:
    """A clock that the test moves, in seconds of its own and as a time of day."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds

    def wall(self) -> datetime:
        return datetime(2026, 5, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)


class Subscription:
    """Gives messages to whoever pulls, for a lease; every delivery has an id of its own."""

    def __init__(self, time: Time, deadline: int = 10) -> None:
        self._time, self._deadline = time, deadline
        self._messages: dict[str, ReceivedMessage] = {}
        self._leased: dict[str, tuple[str, float]] = {}
        self._deliveries = 0
        self.is_down = False
        self._lock = threading.Lock()

    def publish(self, name: str, body: bytes = b"body") -> None:
        with self._lock:
            self._messages[name] = ReceivedMessage({"name": name}, body, self._time.wall())

    @property
    def left(self) -> set[str]:
        """The messages that nobody acknowledged."""
        return set(self._messages)

    def pull(self, most: int) -> list[ReceivedMessage]:
        self._answer()
        with self._lock:
            leased = {name for name, end in self._leased.values() if end > self._time.seconds}
            return [self._deliver(name) for name in [name for name in self._messages if name not in leased][:most]]

    def acknowledge(self, ack_ids: Sequence[str]) -> None:
        self._answer()
        with self._lock:
            for ack_id in ack_ids:
                self._messages.pop(self._leased[ack_id][0], None)

    def extend(self, ack_ids: Sequence[str], seconds: int) -> None:
        self._answer()
        with self._lock:
            for ack_id in ack_ids:
                self._leased[ack_id] = self._leased[ack_id][0], self._time.seconds + seconds

    def _deliver(self, name: str) -> ReceivedMessage:
        self._deliveries += 1
        ack_id = f"{name}#{self._deliveries}"
        self._leased[ack_id] = name, self._time.seconds + self._deadline
        return replace(self._messages[name], ack_id=ack_id)

    def _answer(self) -> None:
        if self.is_down:
            raise Unreachable("down")
