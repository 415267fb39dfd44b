"""Pulls messages of a subscription in large batches, extends their leases, and acknowledges them by their ids.

At least once, in no order. What is out is bounded, and a puller that closes gives back what nobody wrote. Its threads repeat methods that a
test calls itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import Protocol

from pipeline.elements import Clock, ReceivedMessage
from pipeline.io.subscription.leases import Bounds, Leases
from pipeline.io.subscription.watermark import Watermark
from program import logs
from program.backoff import Backoff

PULL_THREADS = 3
MOST_TOGETHER = 1_000
"""So many messages a request asks for, or names by their ids, at most: Pub/Sub's own limit of a pull."""
EXTEND_EVERY_SECONDS = 5.0
FULL_SECONDS = 0.05
"""How long to wait when as much is out as may be."""

_LOG = logs.get(__name__)


class Unreachable(Exception):
    """Pub/Sub does not answer, or refuses; it may pass."""


class Connection(Protocol):
    """Connects to one subscription. Every method raises Unreachable."""

    def pull(self, most: int) -> list[ReceivedMessage]:
        """Returns messages with their ids; waits for the first, but not for ever."""

    def acknowledge(self, ack_ids: Sequence[str]) -> None: ...

    def extend(self, ack_ids: Sequence[str], seconds: int) -> None:
        """Makes leases so long from now; with 0 others get the messages at once."""


class Puller:
    """Pulls for one process: `puller.take(500)`, and when the rows are written `puller.acknowledge(ids)`."""

    def __init__(
        self, connection: Connection, monotonic: Callable[[], float], clock: Clock, rng: Random, bounds: Bounds | None = None
    ) -> None:
        self._connection, self._monotonic, self._clock, self._rng = connection, monotonic, clock, rng
        self._bounds = bounds or Bounds()
        self._leases = Leases(self._bounds)
        self._waiting: deque[ReceivedMessage] = deque()
        self._to_acknowledge: deque[str] = deque()
        self._watermark = Watermark()
        self._lock = threading.Lock()
        self._arrived = threading.Event()
        self._acknowledged = threading.Event()
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def out(self) -> int:
        """Says how many messages are pulled and not acknowledged."""
        return len(self._leases)

    def start(self) -> None:
        """Starts the threads, once."""
        with self._lock:
            if self._threads or self._closed.is_set():
                return
            loops = [self._keep_pulling] * PULL_THREADS + [self._keep_extending]
            self._threads = [threading.Thread(target=loop, daemon=True, name=f"subscription-{at}") for at, loop in enumerate(loops)]
        _LOG.info("at most %d messages at once are pulled and not acknowledged", self._bounds.messages)
        for thread in self._threads:
            thread.start()

    def take(self, most: int, wait_seconds: float = 0.0) -> list[ReceivedMessage]:
        """Returns messages that were pulled; waits a little for the first."""
        if not self._waiting:
            self._arrived.wait(wait_seconds)
        self._arrived.clear()
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def watermark(self) -> float:
        """Returns the time of publication, in seconds since 1970, before which nothing more is expected."""
        with self._lock:
            oldest = min((message.received_time.timestamp() for message in self._waiting), default=None)
            return self._watermark.at(oldest, self._clock().timestamp())

    def pull(self) -> bool:
        """Pulls once. Returns whether anything was asked for. Raises Unreachable."""
        room = self._leases.room()
        if room <= 0:
            return False
        if pulled := self._connection.pull(min(room, MOST_TOGETHER)):
            self._take_in(pulled)
        else:
            with self._lock:
                self._watermark.found_empty(self._clock().timestamp())
        return True

    def _take_in(self, pulled: list[ReceivedMessage]) -> None:
        self._leases.add({message.ack_id: len(message.body) for message in pulled}, self._monotonic())
        with self._lock:
            self._waiting += pulled
            self._watermark.pulled(min(message.received_time for message in pulled).timestamp(), self._clock().timestamp())
        self._arrived.set()
        self._connection.extend([message.ack_id for message in pulled], self._bounds.lease_seconds)

    def acknowledge(self, ack_ids: Iterable[str]) -> None:
        """Acknowledges messages whose rows are written; what fails is tried again later, and till then their leases are extended."""
        self._to_acknowledge += ack_ids
        try:
            self._acknowledge()
        except Unreachable as error:
            _LOG.warning("%d acknowledgements wait: %s", len(self._to_acknowledge), error)

    def extend(self) -> None:
        """Extends the leases that are due, and acknowledges what could not be before. Raises Unreachable."""
        self._acknowledge()
        for ack_ids in _portions(self._leases.due(self._monotonic())):
            self._connection.extend(ack_ids, self._bounds.lease_seconds)
        if late := self._leases.give_up(self._monotonic()):
            _LOG.error("%d messages are not written after %.0f s: they come again", len(late), self._bounds.longest_seconds)

    def stop_pulling(self) -> None:
        """Pulls no more, and gives back what was not passed on; what is out goes on."""
        self._closed.set()
        with self._lock:
            back = [message.ack_id for message in self._waiting]
            self._waiting.clear()
        self._give_back(back)

    def finish(self, seconds: float) -> None:
        """Pulls no more, waits until what is out is acknowledged, but not for longer, and gives the rest back."""
        self.stop_pulling()
        deadline = self._monotonic() + seconds
        while self.out and self._monotonic() < deadline:
            self._acknowledged.wait(FULL_SECONDS)
            self._acknowledged.clear()
        self.close()

    def close(self) -> None:
        """Stops, and gives everything back that is not acknowledged."""
        self.stop_pulling()
        self._give_back(self._leases.all())

    def _acknowledge(self) -> None:
        while ack_ids := self._next_to_acknowledge():
            try:
                self._connection.acknowledge(ack_ids)
            except Unreachable:
                self._to_acknowledge += ack_ids
                raise
            self._leases.end(ack_ids)
            self._acknowledged.set()

    def _next_to_acknowledge(self) -> list[str]:
        with self._lock:
            return [self._to_acknowledge.popleft() for _ in range(min(MOST_TOGETHER, len(self._to_acknowledge)))]

    def _give_back(self, ack_ids: Sequence[str]) -> None:
        try:
            for portion in _portions(ack_ids):
                self._connection.extend(portion, 0)
        except Unreachable as error:
            _LOG.warning("messages come again when their leases end: %s", error)
        self._leases.end(ack_ids)

    def _keep_pulling(self) -> None:
        self._keep(self.pull, FULL_SECONDS)

    def _keep_extending(self) -> None:
        self._keep(self._extend_and_wait, 0.0)

    def _extend_and_wait(self) -> bool:
        self.extend()
        return not self._closed.wait(EXTEND_EVERY_SECONDS)

    def _keep(self, step: Callable[[], bool], idle_seconds: float) -> None:
        """Repeats a step until this is closed; pauses where it did nothing, and longer where it fails."""
        pauses = BACKOFF.delays(self._rng)
        while not self._closed.is_set():
            try:
                did_something = step()
                pauses = BACKOFF.delays(self._rng)
            except Unreachable as error:
                pause = next(pauses)
                _LOG.warning("the subscription does not answer (%s); trying again in %.1f s", error, pause)
                self._closed.wait(pause)
            else:
                if not did_something:
                    self._closed.wait(idle_seconds)


BACKOFF = Backoff(initial_interval=0.5, max_interval=30.0)


def _portions(ack_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ack_ids[first : first + MOST_TOGETHER] for first in range(0, len(ack_ids), MOST_TOGETHER))
