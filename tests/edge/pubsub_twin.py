"""A Pub/Sub in memory, with weather: what it accepts, refuses, forgets to answer, and when it answers, by a schedule."""

import heapq
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from itertools import count
from random import Random

from google.api_core import exceptions

from edge.store.store import OutboxBatch

ERRORS = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.InternalServerError,
    exceptions.Aborted,
    exceptions.ResourceExhausted,
    exceptions.PermissionDenied,
    exceptions.Unauthenticated,
    exceptions.NotFound,
    exceptions.Unknown,
)


class PubSubTwin:
    """Implements `Publisher`. Answers fall due on its own clock: `advance` moves it."""

    def __init__(self, rng: Random | None = None) -> None:
        self.now, self.weather, self.poison = 0.0, "fine", set[str]()
        self.received: Counter[str] = Counter()
        self.bodies: dict[str, bytes] = {}
        self.order: list[str] = []
        self.times: dict[str, float] = {}
        """When each batch came for the first time."""
        self.seconds = 0.05
        """So long it takes to answer in fine weather."""
        self.attempts: list[float] = []
        self.sizes: list[int] = []
        """How many batches each attempt was of."""
        self.requests: list[tuple[float, list[OutboxBatch]]] = []
        """What was in each attempt, and when."""
        self._rng = rng or Random(1)
        self._due: list[tuple[float, int, Future[str], BaseException | None]] = []
        self._numbers = count()

    def publish(self, batches: Sequence[OutboxBatch]) -> Future[str]:
        self.attempts.append(self.now)
        self.sizes.append(len(batches))
        self.requests.append((self.now, list(batches)))
        answer: Future[str] = Future()
        if self.poison & {batch.envelope.batch_id for batch in batches} or self.weather == "refusing":
            return self._answer(answer, exceptions.InvalidArgument("message refused"))
        weather = self._rng.choice(["fine", "down", "losing", "silent"]) if self.weather == "mixed" else self.weather
        if weather in {"fine", "slow", "losing"}:
            for batch in batches:
                self._accept(batch.envelope.batch_id, batch.body)
        if weather == "silent":
            return answer
        if weather == "hanging":
            return self._answer(answer, exceptions.DeadlineExceeded("no answer"), 30)
        if weather in {"down", "losing"}:
            return self._answer(answer, self._rng.choice(ERRORS)("fault"))
        return self._answer(answer, None, self._rng.uniform(5, 60) if weather == "slow" else self.seconds)

    def refuses_only_this(self, error: BaseException) -> bool:
        return isinstance(error, exceptions.InvalidArgument)

    def close(self) -> None:
        """Nothing is open."""

    def advance(self, now: float) -> None:
        """Gives the answers that are due by then."""
        self.now = now
        while self._due and self._due[0][0] <= now:
            _, _, answer, error = heapq.heappop(self._due)
            answer.set_exception(error) if error else answer.set_result("id")

    def next_answer(self) -> float:
        return self._due[0][0] if self._due else float("inf")

    def _accept(self, batch_id: str, body: bytes) -> None:
        assert self.bodies.setdefault(batch_id, body) == body, f"{batch_id} came with two different bodies"
        self.received[batch_id] += 1
        self.order.append(batch_id)
        self.times.setdefault(batch_id, self.now)

    def _answer(self, answer: Future[str], error: BaseException | None, after: float = 0.1) -> Future[str]:
        heapq.heappush(self._due, (self.now + after, next(self._numbers), answer, error))
        return answer
