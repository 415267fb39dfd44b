"""The uplink's thread: woken it sends, told to stop it ends in time, and no fault ends it."""

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from edge.store.store import OutboxBatch, Store
from edge.uplink.worker import UplinkWorker
from program.backoff import Backoff
from tests.edge.encoded import NOW, encoded
from tests.waiting import eventually

QUICK = Backoff(initial_interval=0.05, max_interval=0.2)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.db", "gw-1", 64 << 20)
    yield store
    store.close()


class Instant:
    """A publisher that answers at once, with `error` if there is one."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.bodies: list[bytes] = []

    def publish(self, batches: Sequence[OutboxBatch]) -> Future[str]:
        answer: Future[str] = Future()
        if self.error:
            answer.set_exception(self.error)
        else:
            self.bodies += [batch.body for batch in batches]
            answer.set_result("id")
        return answer

    def refuses_only_this(self, error: BaseException) -> bool:
        return isinstance(error, ValueError)

    def close(self) -> None:
        """Nothing is open."""


def test_what_is_cut_is_sent_when_woken_and_the_state_follows(store: Store) -> None:
    uplink = UplinkWorker(store, Instant(), backoff=QUICK)
    assert uplink.state == "offline"
    uplink.start()
    store.cut([encoded(), encoded()], NOW)
    uplink.wake()
    assert eventually(lambda: store.ledger().pending == 0, 5)
    assert eventually(lambda: uplink.state == "online", 5)
    uplink.stop(1)


def test_stopping_sends_what_waits(store: Store) -> None:
    store.cut([encoded() for _ in range(100)], NOW)
    uplink = UplinkWorker(store, Instant(), backoff=QUICK)
    uplink.start()
    begun = time.monotonic()
    uplink.stop(60)
    assert time.monotonic() - begun < 10, "it waited although nothing was left"
    assert store.ledger().confirmed == 100


def test_stopping_while_offline_leaves_the_rest_at_once(store: Store) -> None:
    publisher = Instant()
    publisher.error = ConnectionError("no route")
    store.cut([encoded()], NOW)
    uplink = UplinkWorker(store, publisher, backoff=QUICK)
    uplink.start()
    begun = time.monotonic()
    uplink.stop(60)
    assert time.monotonic() - begun < 5
    assert store.ledger().pending == 1


def test_a_turn_that_fails_does_not_end_the_thread(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Instant):
        def publish(self, batches: Sequence[OutboxBatch]) -> Future[str]:
            if self.error:
                raise self.error
            return super().publish(batches)

    publisher = Broken()
    publisher.error = RuntimeError("a fault of ours")
    store.cut([encoded()], NOW)
    uplink = UplinkWorker(store, publisher, backoff=QUICK)
    uplink.start()
    assert eventually(lambda: "a turn failed" in caplog.text, 5)
    publisher.error = None
    uplink.wake()
    store.cut([encoded()], NOW)
    assert eventually(lambda: publisher.bodies != [], 10)
    uplink.stop(1)


@pytest.fixture(autouse=True)
def _seen(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "tinybeam.edge")
