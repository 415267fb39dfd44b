"""Turns features into scores in a child process for each model, so that a model can never take the gateway down with it.

Guarantees that `score` returns one finite score for each row or raises ScorerFailed, within the timeout. A child that crashed,
hung or answered nonsense is killed and started again, after a back-off of up to a minute. Not thread-safe: one caller.
"""

from __future__ import annotations

import math
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Self

from edge.models import tflite
from edge.models.bundle import Bundle, BundleError
from edge.models.pipes import ChildTimeout, Pipes, PipesClosed
from edge.models.protocol import OK, READY, UNUSABLE, request, scores
from edge.models.runnable import pack
from edge.models.scorer import Score, ScorerFailed, ScorerLate
from program.backoff import Backoff
from program.child import environment, python_module

_COMMAND = python_module("edge.models.child")
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""The child's linear algebra starts no threads."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Says how long to wait, in seconds: for a child to be ready, and for one call."""

    start: float = 20.0
    call: float = 5.0


_RESTART = Backoff(max_interval=60.0)


class ProcessScorer:
    """Runs the models of a gateway, each in its own child.

    Usage: `with ProcessScorer(bundles) as scorer: scorer.score(name, features)`.
    """

    def __init__(
        self,
        bundles: Sequence[Bundle],
        *,
        timeouts: Timeouts = Timeouts(),
        command: Sequence[str] = _COMMAND,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
    ) -> None:
        """Starts the children and waits until each has verified its model. Raises BundleError, ScorerFailed, or ScorerLate if one
        needs too long for it, leaving no child behind.
        """
        rng = rng or Random()
        self._timeouts = timeouts
        self._children = {bundle.name: _Child(bundle, timeouts, command, clock, rng) for bundle in bundles}
        try:
            for child in self._children.values():
                child.start()
            for child in self._children.values():
                child.ready(timeouts.start)
        except BaseException:
            self.close()
            raise

    @classmethod
    def of_usable(
        cls,
        bundle: Bundle,
        unusable: Callable[[str, Exception], None],
        *,
        timeouts: Timeouts = Timeouts(),
        command: Sequence[str] = _COMMAND,
    ) -> Self:
        """Starts a scorer whether or not its model can run, and tells `unusable` if not. It is tried again when it is asked."""
        scorer = cls([], timeouts=timeouts)
        scorer._children[bundle.name] = child = _Child(bundle, timeouts, command, time.monotonic, Random())
        try:
            child.start()
            child.ready(timeouts.start)
        except (BundleError, ScorerFailed, OSError) as error:
            unusable(bundle.name, error)
        return scorer

    @property
    def runtime(self) -> str:
        """Names the inference runtime and its version, such as `tflite-runtime 2.14.0`; empty without models."""
        return next((child.runtime for child in self._children.values()), "")

    @property
    def restarts(self) -> Mapping[str, int]:
        """Counts how often each model's child had to be started again."""
        return {name: child.restarts for name, child in self._children.items()}

    def score(self, name: str, features: Sequence[Sequence[float]]) -> list[Score]:
        """Returns one score for each row. Raises ScorerFailed; KeyError for a model that is not loaded."""
        child = self._children[name]
        return child.score(features) if features else []

    def close(self) -> None:
        """Ends the children."""
        for child in self._children.values():
            child.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class _Child:
    """Runs one model: starts its child, asks it, and starts it again after a failure."""

    def __init__(self, bundle: Bundle, timeouts: Timeouts, command: Sequence[str], clock: Callable[[], float], rng: Random) -> None:
        self._bundle, self._timeouts, self._command = bundle, timeouts, command
        self._clock, self._rng = clock, rng
        self._process: subprocess.Popen[bytes] | None = None
        self._pipes: Pipes | None = None
        self._is_ready = False
        self._started_at = 0.0
        self._not_before = 0.0
        self._failures = 0
        self._failed_by = ScorerFailed
        self.restarts = 0
        self.runtime = ""

    def start(self) -> None:
        """Starts the child. Raises BundleError: the model's file may have changed, or no runtime be there."""
        try:
            runnable, runtime = self._bundle.runnable(), tflite.installed()
        except tflite.RuntimeMissing as missing:
            raise BundleError(f"{self._bundle.name}: {missing}") from missing
        self._process = subprocess.Popen(
            [*self._command, *runtime],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment() | _ONE_THREAD,
        )
        self._pipes = Pipes(self._process, pack(runnable))
        self._is_ready = False
        self._started_at = self._clock()

    def ready(self, seconds: float) -> None:
        """Waits for the ready packet. Raises BundleError, or ScorerFailed: the child may still become ready, if it lives and has time."""
        if self._is_ready:
            return
        try:
            packet = self._live().receive(seconds)
        except ChildTimeout as timeout:
            if self._clock() - self._started_at >= self._timeouts.start:
                raise self._fail("was not ready in time", ScorerLate) from timeout
            raise ScorerLate(f"{self._bundle.name}: the scorer is still starting") from timeout
        except PipesClosed as closed:
            raise self._fail(f"died while starting ({self._exit()})") from closed
        if packet[:1] == UNUSABLE:
            raise self._unusable(packet[1:].decode(errors="replace"))
        if packet[:1] != READY:
            raise self._fail("did not say that it is ready")
        self.runtime, self._is_ready = packet[1:].decode(errors="replace"), True

    def score(self, features: Sequence[Sequence[float]]) -> list[Score]:
        self._restart_if_due()
        try:
            self.ready(self._timeouts.call)
        except BundleError as error:
            raise ScorerFailed(str(error)) from error
        try:
            reply = self._live().exchange(request(features), self._timeouts.call)
        except ChildTimeout as timeout:
            raise self._fail(f"did not answer within {self._timeouts.call:g} s", ScorerLate) from timeout
        except PipesClosed as closed:
            raise self._fail(f"died ({self._exit()})") from closed
        return self._scores(reply, len(features))

    def _scores(self, reply: bytes, rows: int) -> list[Score]:
        if reply[:1] != OK:
            raise ScorerFailed(f"{self._bundle.name}: {reply[1:].decode(errors='replace')}")
        try:
            triples = scores(reply, rows)
        except ValueError as error:
            raise self._fail(str(error)) from error
        if not all(math.isfinite(number) for triple in triples for number in triple):
            raise self._fail("answered a number that is not finite")
        self._failures = 0
        return [Score(self._bundle.label(score), score, high - low) for low, score, high in triples]

    def _restart_if_due(self) -> None:
        if self._process is not None:
            return
        wait = self._not_before - self._clock()
        if wait > 0:
            raise self._failed_by(f"{self._bundle.name}: the scorer failed and is started again in {wait:.1f} s")
        self.restarts += 1
        self.start()

    def _live(self) -> Pipes:
        if self._pipes is None:
            raise ScorerFailed(f"{self._bundle.name}: the scorer is closed")
        return self._pipes

    def _fail(self, reason: str, kind: type[ScorerFailed] = ScorerFailed) -> ScorerFailed:
        self._failures += 1
        self._failed_by = kind
        delay = _RESTART.delay(self._failures, self._rng)
        self._not_before = self._clock() + delay
        self.stop()
        return kind(f"{self._bundle.name}: the scorer {reason}; it is started again in {delay:.1f} s")

    def _unusable(self, reason: str) -> BundleError:
        self._fail(reason)
        return BundleError(reason)

    def _exit(self) -> str:
        try:
            status = self._process.wait(1) if self._process else 0
        except subprocess.TimeoutExpired:
            return "its answer made no sense"
        return f"signal {-status}" if status < 0 else f"exit status {status}"

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._pipes is not None:
            self._pipes.close()
        self._process = self._pipes = None
        self._is_ready = False
