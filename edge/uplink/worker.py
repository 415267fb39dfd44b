"""Runs the sender in a thread, from the outbox to a publisher. edge.uplink.sender says what it guarantees."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from random import Random

from edge.store.store import Store
from edge.uplink.allowance import Allowance, DayBytes, unlimited
from edge.uplink.attestor import Attests
from edge.uplink.sender import Sender
from edge.uplink.signer import Sign, unsigned
from edge.uplink.uplink import Publisher
from program import logs
from program.backoff import Backoff
from schemas.records import LinkState

_AFTER_FAULT_SECONDS = 1.0

_log = logs.get(__name__)


class UplinkWorker:
    """Sends the store's batches from `start` to `stop`.

    Usage: `uplink.start()`, `uplink.wake()` after a cut, `uplink.stop(10)`.
    """

    def __init__(  # noqa: PLR0913 - as the sender's
        self,
        store: Store,
        publisher: Publisher,
        *,
        backoff: Backoff,
        clock: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
        allowance: Allowance | None = None,
        sign: Sign = unsigned,
        attestor: Attests | None = None,
    ) -> None:
        """Without an allowance everything may go."""
        self._woken, self._stopping, self._clock = threading.Event(), threading.Event(), clock
        self._allowance = allowance or unlimited()
        self._sender = Sender(
            store,
            publisher,
            sign,
            backoff=backoff,
            rng=rng or Random(),
            wake=self._woken.set,
            allowance=self._allowance,
            attestor=attestor,
        )
        self._stop_by = float("inf")
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)

    @property
    def state(self) -> LinkState:
        """Is online since the last confirmation; else it says what the last failure was, and offline at the start."""
        return self._sender.state

    @property
    def day(self) -> DayBytes | None:
        """Says what is left of the day's bytes; None if there is no limit."""
        return self._allowance.day

    def start(self) -> None:
        """Begins to send."""
        self._thread.start()

    def wake(self) -> None:
        """Looks for batches now, for something was cut."""
        self._woken.set()

    def stop(self, seconds: float) -> None:
        """Sends what waits, for at most so long and while the uplink is up; the rest stays in the store."""
        self._stop_by = self._clock() + seconds
        self._stopping.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join(seconds + 1)

    def _run(self) -> None:
        while True:
            due = self._turn()
            if self._is_finished():
                break
            self._woken.wait(min(due, max(self._stop_by - self._clock(), 0.0)))
            self._woken.clear()

    def _turn(self) -> float:
        try:
            return self._sender.turn(self._clock())
        except Exception as error:  # noqa: BLE001
            # Whatever it was: readings go on being stored, and if this thread ended the gateway would be silent for ever.
            _log.exception("uplink: a turn failed")
            self._sender.back_off(error, self._clock())
            return _AFTER_FAULT_SECONDS

    def _is_finished(self) -> bool:
        return self._stopping.is_set() and (self._clock() >= self._stop_by or self._sender.is_idle(self._clock()))
