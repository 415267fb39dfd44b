"""Decides what to send next, and what an answer means: the uplink without its thread and its client.

Guarantees at least once: a batch leaves the store only after its confirmation; one whose answer was lost is sent again under the same
name. Higher priorities overtake. Batches that wait together go in one request. While the uplink is down there is one attempt at a time, of
one batch, after a back-off, for ever. If a request is refused each of its batches goes alone; one that is refused by itself waits by itself
and holds up nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from random import Random

from edge.store.store import OutboxBatch, Store
from edge.uplink.uplink import Publisher, PublishFuture
from program import logs
from program.backoff import Backoff

MAX_IN_FLIGHT = 32
MAX_IN_FLIGHT_BYTES = 16_000_000
MAX_TOGETHER_BYTES = 1_000_000
"""A request with more than one batch has no more: what is lost on a bad line is sent again as a whole."""
ANSWER_SECONDS = 120.0
"""An attempt without any answer for so long counts as failed."""
_LEAST_WAIT_SECONDS = 0.1
_OUTAGE_REFUSALS = 3
"""So many batches refused, and none confirmed between, are not the fault of each: with a wrong topic every one is refused."""

_log = logs.get(__name__)


@dataclass(slots=True)
class _Refusal:
    """Counts how often one batch was refused by itself, and until when it waits by itself; 0 times if it was with others."""

    failures: int
    until: float


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Notes a batch under way: when it was sent, and its size."""

    sent: float
    size: int


class Sender:
    """Sends the waiting batches, in one thread; only the answers come from others, which `wake` reports.

    Times are of one monotonic clock, in seconds.

    Usage: call `turn(now)`, wait for so many seconds or until `wake` is called, and call it again.
    """

    def __init__(self, store: Store, publisher: Publisher, *, backoff: Backoff, rng: Random, wake: Callable[[], None]) -> None:
        self._store, self._publisher = store, publisher
        self._backoff, self._rng, self._wake = backoff, rng, wake
        self._answers: SimpleQueue[tuple[Sequence[int], PublishFuture]] = SimpleQueue()
        self._in_flight: dict[int, _Attempt] = {}
        self._arrived: set[int] = set()
        self._refused: dict[int, _Refusal] = {}
        self._refused_since_confirmation: set[int] = set()
        self._failures, self._in_flight_limit = 0, 1
        self._not_before = 0.0
        self._backed_off = -1.0
        self._down_since: float | None = None
        self.online = False

    def turn(self, now: float) -> float:
        """Takes the answers in and sends what may be sent, without waiting; returns in how many seconds the next turn is due."""
        self._take_answers(now)
        self._expire_attempts(now)
        self._confirm(now)
        if now >= self._not_before:
            self._send(now)
        return self._next_due(now) - now

    def back_off(self, error: BaseException, now: float, sent: float | None = None) -> None:
        """Counts a failure of the uplink as a whole, of an attempt made at `sent`. It waits no longer than it has been down."""
        if self._down_since is None:
            self._down_since = now if sent is None else sent
            _log.warning("uplink is offline: %r; batches wait in the store", error)
        self._failures += 1
        self._in_flight_limit = 1
        delay = min(self._backoff.delay(self._failures, self._rng), max(_LEAST_WAIT_SECONDS, now - self._down_since))
        self._backed_off, self._not_before = now, now + delay
        _log.debug("uplink: failure %d, next attempt in %.1f s", self._failures, delay)
        self.online = False

    def is_idle(self) -> bool:
        """Says whether nothing is under way, and nothing could be sent now."""
        if self._in_flight or not self._answers.empty():
            return False
        waiting = {seq for seq, refusal in self._refused.items() if refusal.failures}
        return self._failures > 0 or not self._store.pending(1, skip=waiting)

    def _take_answers(self, now: float) -> None:
        """Of attempts that were under way together the first that fails is a failure: the others say nothing new."""
        while True:
            try:
                seqs, answer = self._answers.get_nowait()
            except Empty:
                break
            error = _error(answer)
            under_way = [attempt for seq in seqs if (attempt := self._in_flight.pop(seq, None))]
            if error is None:
                self._arrived.update(seqs)
            elif under_way and (failure := self._failure(seqs, error, now)) and under_way[0].sent > self._backed_off:
                self.back_off(failure, now, under_way[0].sent)

    def _failure(self, seqs: Sequence[int], error: BaseException, now: float) -> BaseException | None:
        """Returns the error if it concerns more than this request."""
        if not self._publisher.refuses_only_this(error):
            return error
        if len(seqs) > 1:
            self._refused |= {seq: self._refused.get(seq, _Refusal(0, now)) for seq in seqs}
            return None
        [seq] = seqs
        refusal = self._refused.setdefault(seq, _Refusal(0, now))
        refusal.failures += 1
        refusal.until = now + max(self._backoff.initial_interval, self._backoff.delay(refusal.failures, self._rng))
        self._refused_since_confirmation.add(seq)
        _log.error("batch %s:%d:%d was refused and waits in the store: %r", self._store.gateway_id, self._store.epoch, seq, error)
        return error if len(self._refused_since_confirmation) >= _OUTAGE_REFUSALS else None

    def _expire_attempts(self, now: float) -> None:
        expired = [seq for seq, attempt in self._in_flight.items() if now - attempt.sent >= ANSWER_SECONDS]
        for seq in expired:
            attempt = self._in_flight.pop(seq)
            if attempt.sent > self._backed_off:
                self.back_off(TimeoutError(f"no answer within {ANSWER_SECONDS:.0f} s"), now, attempt.sent)

    def _confirm(self, now: float) -> None:
        if not self._arrived:
            return
        # If the store fails here, the seqs are kept, and nothing is sent before they are confirmed.
        self._store.confirm(self._arrived)
        for seq in self._arrived:
            self._refused.pop(seq, None)
        self._arrived, self._refused_since_confirmation = set(), set()
        self._in_flight_limit = min(2 * self._in_flight_limit, MAX_IN_FLIGHT)
        if not self.online:
            down = "" if self._down_since is None else f" after {now - self._down_since:.0f} s offline"
            _log.info("uplink is online%s", down)
        self.online, self._failures, self._not_before, self._down_since = True, 0, 0.0, None

    def _send(self, now: float) -> None:
        for batches in self._together(self._choose(self._in_flight_limit - len(self._in_flight), now)):
            bytes_in_flight = sum(attempt.size for attempt in self._in_flight.values())
            if bytes_in_flight and bytes_in_flight + sum(len(batch.body) for batch in batches) > MAX_IN_FLIGHT_BYTES:
                break
            self._publish(batches, now)

    def _together(self, chosen: Sequence[OutboxBatch]) -> Iterator[list[OutboxBatch]]:
        """Yields the batches of each request; one that was refused goes alone."""
        request, size = list[OutboxBatch](), 0
        for batch in chosen:
            is_alone = batch.key in self._refused
            if request and (is_alone or size + len(batch.body) > MAX_TOGETHER_BYTES or request[0].key in self._refused):
                yield request
                request, size = [], 0
            request.append(batch)
            size += len(batch.body)
        if request:
            yield request

    def _choose(self, limit: int, now: float) -> list[OutboxBatch]:
        """Chooses at most so many batches: those never refused first, so that refused ones of high priority starve nobody."""
        if limit <= 0:
            return []
        fresh = self._store.pending(limit, skip=self._in_flight.keys() | self._refused.keys())
        waiting = {seq for seq, refusal in self._refused.items() if refusal.until > now}
        if len(fresh) == limit or len(waiting) == len(self._refused):
            return fresh
        chosen = self._in_flight.keys() | {batch.key for batch in fresh}
        return fresh + self._store.pending(limit - len(fresh), skip=waiting | chosen)

    def _publish(self, batches: Sequence[OutboxBatch], now: float) -> None:
        seqs = [batch.key for batch in batches]
        answer = self._publisher.publish(batches)
        self._in_flight |= {batch.key: _Attempt(now, len(batch.body)) for batch in batches}
        answer.add_done_callback(lambda answer: self._receive(seqs, answer))

    def _receive(self, seqs: Sequence[int], answer: PublishFuture) -> None:
        """Takes an answer, from any thread."""
        self._answers.put((seqs, answer))
        self._wake()

    def _next_due(self, now: float) -> float:
        times = [attempt.sent + ANSWER_SECONDS for attempt in self._in_flight.values()]
        times += [refusal.until for refusal in self._refused.values() if refusal.until > now]
        if self._not_before > now:
            times.append(self._not_before)
        return min(times, default=now + self._backoff.max_interval)


def _error(answer: PublishFuture) -> BaseException | None:
    try:
        return answer.exception()
    except CancelledError as error:
        return error
