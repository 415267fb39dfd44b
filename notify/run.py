"""The running notifier: puts subscription, receivers and the file of what was told together, and turns until it is told to stop.

Told to stop, it finishes the attempts under way and gives the rest back to Pub/Sub, which delivers it again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from random import Random

from notify.config import Config
from notify.dispatch import Dispatcher, ReceiverWorker
from notify.receivers import open_receivers
from notify.sent_log import SentLog
from notify.subscription import follow
from program import logs

KEEP = timedelta(days=30)
"""How long it is remembered what was told: much longer than Pub/Sub keeps a message."""

AFTER_FAULT_SECONDS = 1.0

_log = logs.get(__name__)


def run(config: Config, stopping: threading.Event) -> None:
    """Until `stopping` is set. Raises ToldError and SubscriptionError."""
    with ExitStack() as stack:
        told = SentLog(config.notify.state_file)
        stack.callback(told.close)
        told.forget(_now() - max(KEEP, timedelta(seconds=2 * config.notify.max_age_seconds)))
        outlets = {one.name: ReceiverWorker(one, told, config, _now, time.monotonic, Random()) for one in open_receivers(config)}
        counter = Dispatcher(config, told, outlets, _now)
        finish = stack.enter_context(_turning(outlets, stopping))
        _log.info("notifier follows %s", config.pubsub.subscription)
        follow(config.pubsub.subscription, counter.take, finish, stopping)
    _log.info("notifier stops")


@contextmanager
def _turning(outlets: dict[str, ReceiverWorker], stopping: threading.Event) -> Iterator[Callable[[], None]]:
    """A thread for each outlet. Gives what stops them and waits for the attempts under way."""
    threads = [threading.Thread(target=_turn, args=(outlet, stopping), name=name) for name, outlet in outlets.items()]

    def finish() -> None:
        stopping.set()
        for outlet in outlets.values():
            outlet.woken.set()
        for thread in threads:
            thread.join()

    for thread in threads:
        thread.start()
    try:
        yield finish
    finally:
        finish()


def _turn(outlet: ReceiverWorker, stopping: threading.Event) -> None:
    while True:
        outlet.woken.clear()
        if stopping.is_set():  # after the clearing: who stops it sets this first and wakes it then
            return
        try:
            due = outlet.turn()
        except Exception:  # noqa: BLE001
            # A full disk, most likely. If this thread ended, its receiver would be silent for ever.
            _log.exception("a turn failed")
            due = AFTER_FAULT_SECONDS
        if due > 0:
            outlet.woken.wait(due)


def _now() -> datetime:
    return datetime.now(UTC)
