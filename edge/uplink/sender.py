"""What to send next, and what an answer means: the uplink without its thread and its client.

Guarantees at least once: a batch leaves the store only after its confirmation; one whose answer was lost is sent again under the same
name. Higher priorities overtake. While the uplink is down there is one attempt at a time, after a fully jittered back-off, for ever.
A batch that is refused by itself waits by itself and holds up nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from random import Random
from typing import Any, Protocol

from edge.store.store import OutboxBatch, Store
from program import logs
from program.backoff import Backoff

MAX_IN_FLIGHT = 32
MAX_IN_FLIGHT_BYTES = 16_000_000
ANSWER_SECONDS = 120.0
"""An attempt without any answer for so long counts as failed."""
_REFUSED_IN_A_ROW = 3

_log = logs.get(__name__)


class Answer(Protocol):
    """A future: what became of one message."""

    def exception(self) -> BaseException | None: ...
    def add_done_callback(self, callback: Callable[[Any], Any], /) -> Any: ...


class Publisher(Protocol):
    """Where batches go. `publish` never raises: the answer carries every fault."""

    def publish(self, topic: str, body: bytes, attributes: Mapping[str, str]) -> Answer: ...
    def refused_only_this(self, error: BaseException) -> bool:
        """Whether the fault is of this message, and another might pass."""
        ...


@dataclass(slots=True)
class _Refused:
    """A batch that waits by itself."""

    failures: int
    until: float


class Sender:
    """Used by one thread; only the answers come from others, which `wake` tells. Times are of one monotonic clock, in seconds."""

    def __init__(  # noqa: PLR0913
        self, store: Store, publisher: Publisher, topic: str, *, backoff: Backoff, chance: Random, wake: Callable[[], None]
    ) -> None:
        self._store, self._publisher, self._topic = store, publisher, topic
        self._backoff, self._chance, self._wake = backoff, chance, wake
        self._answers: SimpleQueue[tuple[int, Answer]] = SimpleQueue()
        self._in_flight: dict[int, tuple[float, int]] = {}
        self._arrived: set[int] = set()
        self._refused: dict[int, _Refused] = {}
        self._refused_in_a_row: set[int] = set()
        self._failures, self._window = 0, 1
        self._not_before = 0.0
        self._down_since: float | None = None
        self.online, self.paused = False, False

    def turn(self, now: float) -> float:
        """Takes the answers in and sends what may be sent, without waiting; returns in how many seconds the next turn is due."""
        self._take_answers(now)
        self._give_up_waiting(now)
        self._confirm(now)
        if not self.paused and now >= self._not_before:
            self._send(now)
        return self._until_next(now)

    def back_off(self, error: BaseException, now: float) -> None:
        """One failure of the uplink as a whole."""
        self._failures += 1
        self._window = 1
        delay = self._backoff.delay(self._failures, self._chance)
        self._not_before = now + delay
        if self.online or self._failures == 1:
            self._down_since = now
            _log.warning("uplink is offline: %r; batches wait in the store", error)
        _log.debug("uplink: failure %d, next attempt in %.1f s", self._failures, delay)
        self.online = False

    def idle(self) -> bool:
        """Nothing is under way, and nothing could be sent now."""
        if self._in_flight or not self._answers.empty():
            return False
        return self.paused or self._failures > 0 or not self._store.pending(1, skip=self._refused.keys())

    def _take_answers(self, now: float) -> None:
        failure: BaseException | None = None
        while True:
            try:
                seq, answer = self._answers.get_nowait()
            except Empty:
                break
            error = _error(answer)
            sent = self._in_flight.pop(seq, None)
            if error is None:
                self._arrived.add(seq)
            elif sent:
                failure = self._failed(seq, error, now) or failure
        if failure:
            self.back_off(failure, now)

    def _failed(self, seq: int, error: BaseException, now: float) -> BaseException | None:
        """The error if it concerns more than this batch."""
        if not self._publisher.refused_only_this(error):
            return error
        refused = self._refused.setdefault(seq, _Refused(0, now))
        refused.failures += 1
        refused.until = now + max(self._backoff.initial_interval, self._backoff.delay(refused.failures, self._chance))
        self._refused_in_a_row.add(seq)
        _log.error("batch %s:%d:%d was refused and waits in the store: %r", self._store.gateway_id, self._store.epoch, seq, error)
        # Several in a row are not the fault of each: with a wrong topic every one is refused.
        return error if len(self._refused_in_a_row) >= _REFUSED_IN_A_ROW else None

    def _give_up_waiting(self, now: float) -> None:
        silent = [seq for seq, (sent, _) in self._in_flight.items() if now - sent >= ANSWER_SECONDS]
        for seq in silent:
            del self._in_flight[seq]
        if silent:
            self.back_off(TimeoutError(f"no answer within {ANSWER_SECONDS:.0f} s"), now)

    def _confirm(self, now: float) -> None:
        if not self._arrived:
            return
        # If the store fails here, the seqs are kept, and nothing is sent before they are confirmed.
        self._store.confirm(self._arrived)
        for seq in self._arrived:
            self._refused.pop(seq, None)
        self._arrived, self._refused_in_a_row = set(), set()
        self._window = min(2 * self._window, MAX_IN_FLIGHT)
        if not self.online:
            down = "" if self._down_since is None else f" after {now - self._down_since:.0f} s offline"
            _log.info("uplink is online%s", down)
        self.online, self._failures, self._not_before = True, 0, 0.0

    def _send(self, now: float) -> None:
        for batch in self._next(self._window - len(self._in_flight), now):
            in_flight = sum(size for _, size in self._in_flight.values())
            if in_flight and in_flight + len(batch.body) > MAX_IN_FLIGHT_BYTES:
                break
            self._publish(batch, now)

    def _next(self, room: int, now: float) -> list[OutboxBatch]:
        """What was never refused first, so that refused batches of high priority starve nobody."""
        if room <= 0:
            return []
        fresh = self._store.pending(room, skip=self._in_flight.keys() | self._refused.keys())
        waiting = {seq for seq, refused in self._refused.items() if refused.until > now}
        if len(fresh) == room or len(waiting) == len(self._refused):
            return fresh
        sent = self._in_flight.keys() | {batch.envelope.seq for batch in fresh}
        return fresh + self._store.pending(room - len(fresh), skip=waiting | sent)

    def _publish(self, batch: OutboxBatch, now: float) -> None:
        seq = batch.envelope.seq
        answer = self._publisher.publish(self._topic, batch.body, batch.envelope.attributes())
        self._in_flight[seq] = (now, len(batch.body))
        answer.add_done_callback(lambda answer: self._answered(seq, answer))

    def _answered(self, seq: int, answer: Answer) -> None:
        """Called by any thread."""
        self._answers.put((seq, answer))
        self._wake()

    def _until_next(self, now: float) -> float:
        times = [sent + ANSWER_SECONDS for sent, _ in self._in_flight.values()]
        times += [refused.until for refused in self._refused.values() if refused.until > now]
        if self._not_before > now:
            times.append(self._not_before)
        return min(times, default=now + self._backoff.max_interval) - now


def _error(answer: Answer) -> BaseException | None:
    try:
        return answer.exception()
    except CancelledError as error:
        return error
