"""Decides when to send, and what an answer means: the uplink without its thread and its client. edge.uplink.choice says what goes next.

Guarantees at least once: a batch leaves the store only after its confirmation; one whose answer was lost is sent again under the same
name. Events overtake everything, and what was cut lately overtakes the backlog, which never stands still for it. Batches that wait
together go in one request; what edge.uplink.pace or edge.uplink.allowance does not permit waits. While the uplink is down there is one
attempt at a time, of one batch, after a back-off, for ever. If a request is refused each of its batches goes alone; one that is refused
by itself waits by itself and holds up nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from random import Random

from edge.store.store import Store
from edge.uplink.allowance import Allowance
from edge.uplink.attestor import Attests, NoAttestor
from edge.uplink.choice import Request, chosen
from edge.uplink.flight import Attempt, Flight
from edge.uplink.pace import Pace
from edge.uplink.refusals import Refusals
from edge.uplink.signer import Sign
from edge.uplink.uplink import LinkDown, Publisher, PublishFuture
from program import logs
from program.backoff import Backoff
from schemas.records import LinkState

ANSWER_SECONDS = 120.0
"""An attempt without any answer for so long counts as failed."""
_LEAST_WAIT_SECONDS = 0.1

_log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Holds what a request was, what became of it, and whether its bytes are counted already."""

    request: Request
    future: PublishFuture
    is_counted: bool


class Sender:
    """Sends the waiting batches, in one thread; only the answers come from others, which `wake` reports.

    Times are of one monotonic clock, in seconds.

    Usage: call `turn(now)`, wait for so many seconds or until `wake` is called, and call it again.
    """

    def __init__(  # noqa: PLR0913 - what it works with, each by name
        self,
        store: Store,
        publisher: Publisher,
        sign: Sign,
        *,
        backoff: Backoff,
        rng: Random,
        wake: Callable[[], None],
        allowance: Allowance,
        attestor: Attests | None = None,
    ) -> None:
        self._store, self._publisher, self._sign, self._allowance = store, publisher, sign, allowance
        self._backoff, self._rng, self._wake, self._attestor = backoff, rng, wake, attestor or NoAttestor()
        self._answers: SimpleQueue[_Answer] = SimpleQueue()
        self._flight, self._refusals = Flight(), Refusals(backoff, rng)
        self._pace = Pace(rng, 0.0) if allowance.is_line_limited else Pace(rng)
        self._arrived: set[int] = set()
        self._failures = 0
        self._not_before = 0.0
        self._backed_off = -1.0
        self._down_since: float | None = None
        self.state = LinkState.OFFLINE

    def turn(self, now: float) -> float:
        """Takes the answers in and sends what may be sent, without waiting; returns in how many seconds the next turn is due."""
        self._take_answers(now)
        self._expire_attempts(now)
        self._confirm(now)
        self._allowance.turn(now)
        if now >= self._not_before:
            self._send(now)
        return self._next_due(now) - now

    def back_off(self, error: BaseException, now: float, sent: float | None = None) -> None:
        """Counts a failure of the uplink as a whole, of an attempt made at `sent`. It waits no longer than it has been down."""
        state = error.state if isinstance(error, LinkDown) else LinkState.OFFLINE
        if self._down_since is None or state != self.state:
            _log.warning("uplink is %s: %r; batches wait in the store", state, error)
        if self._down_since is None:
            self._down_since = now if sent is None else sent
        self._failures += 1
        self._flight.narrow()
        delay = min(self._backoff.delay(self._failures, self._rng), max(_LEAST_WAIT_SECONDS, now - self._down_since))
        self._backed_off, self._not_before = now, now + delay
        _log.debug("uplink: failure %d, next attempt in %.1f s", self._failures, delay)
        self.state = state

    def is_idle(self, now: float) -> bool:
        """Says whether nothing is under way, and nothing could be sent now."""
        if self._flight or not self._answers.empty():
            return False
        is_stopped = self._failures > 0 or self._allowance.is_day_spent
        return is_stopped or not self._store.pending(1, skip=self._refusals.hopeless(), lanes=self._pace.lanes(now))

    def _take_answers(self, now: float) -> None:
        """Of attempts that were under way together the first that fails is a failure: the others say nothing new."""
        while True:
            try:
                answer = self._answers.get_nowait()
            except Empty:
                break
            keys, error = answer.request.keys, _error(answer.future)
            landed = self._flight.land(keys)
            if error is None:
                self._arrived.update(keys)
                self._attestor.note(answer.request.batches)
                if not answer.is_counted:
                    self._allowance.spend(answer.request.batches, now)
            elif landed and (failure := self._failure(keys, landed, error, now)) and landed[0].sent > self._backed_off:
                self.back_off(failure, now, landed[0].sent)

    def _failure(self, keys: list[int], landed: list[Attempt], error: BaseException, now: float) -> BaseException | None:
        """Returns the error if it concerns more than this request."""
        if not self._publisher.refuses_only_this(error):
            return error
        if len(keys) > 1:
            self._refusals.note(keys, now)
            return None
        self._refusals.note_alone(keys[0], now)
        _log.error("batch %s was refused and waits in the store: %r", landed[0].batch_id, error)
        return error if self._refusals.is_outage() else None

    def _expire_attempts(self, now: float) -> None:
        for attempt in self._flight.late(now, ANSWER_SECONDS):
            if attempt.sent > self._backed_off:
                self.back_off(TimeoutError(f"no answer within {ANSWER_SECONDS:.0f} s"), now, attempt.sent)

    def _confirm(self, now: float) -> None:
        if not self._arrived:
            return
        # If the store fails here, the keys are kept, and nothing is sent before they are confirmed.
        self._store.confirm(self._arrived, sections=[self._allowance.section, self._attestor.section])
        self._refusals.confirm(self._arrived)
        self._arrived = set()
        self._flight.widen()
        if self.state != LinkState.ONLINE:
            down = 0.0 if self._down_since is None else now - self._down_since
            self._pace.begin(down, now)
            _log.info("uplink is online%s", f" after {down:.0f} s offline" if down else "")
        self.state, self._failures, self._not_before, self._down_since = LinkState.ONLINE, 0, 0.0, None

    def _send(self, now: float) -> None:
        lanes = self._pace.lanes(now)
        for request in chosen(self._store, self._flight, self._refusals, now, lanes, self._allowance.most_together):
            permitted = request.of(self._allowance.permitted(self._sign(request.batches), now))
            if self._flight and permitted.bytes > self._flight.free_bytes:
                break
            if permitted.batches:
                self._publish(permitted, now)

    def _publish(self, request: Request, now: float) -> None:
        future = self._publisher.publish(request.batches)
        for batch in request.batches:
            self._flight.add(batch.key, Attempt(now, len(batch.body), batch.key in request.backlog, batch.envelope.batch_id))
        of_backlog = sum(batch.key in request.backlog for batch in request.batches)
        self._pace.count(len(request.batches) - of_backlog, of_backlog, now)
        # While the uplink is down an attempt seldom gets anywhere: it is counted when it has.
        is_counted = not self._failures
        if is_counted:
            self._allowance.spend(request.batches, now)
        future.add_done_callback(lambda future: self._receive(_Answer(request, future, is_counted)))

    def _receive(self, answer: _Answer) -> None:
        """Takes an answer, from any thread."""
        self._answers.put(answer)
        self._wake()

    def _next_due(self, now: float) -> float:
        waiting = self._refusals.first_due(now), self._allowance.next_change(now), self._pace.next_change(now)
        first = min(self._flight.first_due(ANSWER_SECONDS), *waiting)
        if self._not_before > now:
            first = min(first, self._not_before)
        return min(first, now + self._backoff.max_interval)


def _error(answer: PublishFuture) -> BaseException | None:
    try:
        return answer.exception()
    except CancelledError as error:
        return error
