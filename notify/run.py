"""Runs the notifier: connects subscription, receivers and the log of what was sent, until it is told to stop.

Told to stop, it finishes the attempts under way and gives the rest back to Pub/Sub, which delivers it again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from random import Random

from notify.clock import Clock
from notify.config import Config
from notify.dispatch import Dispatcher
from notify.exposition import exposition
from notify.receiver_worker import ReceiverWorker
from notify.receivers.receiver import Receiver
from notify.sent_log import SentLog
from notify.subscription import follow
from program import logs
from program.exposition import served

KEEP = timedelta(days=30)
"""How long it is remembered what was sent: much longer than Pub/Sub keeps a message."""

AFTER_FAULT_SECONDS = 1.0

_log = logs.get(__name__)


def run(config: Config, stopping: threading.Event) -> None:
    """Runs until `stopping` is set. Raises ConfigError for the port of metrics, SentLogError and SubscriptionError."""
    clock = Clock()
    with closing(SentLog(config.notify.state_file)) as sent_log:
        sent_log.forget(clock.now() - max(KEEP, timedelta(seconds=2 * config.notify.max_age_seconds)))
        workers = {
            receiver.name: ReceiverWorker(receiver, sent_log, config, clock, Random()) for receiver in routed_receivers(config, clock)
        }
        dispatcher = Dispatcher(config, sent_log, workers, clock)

        def exposed() -> str:
            return exposition(dispatcher.counts, [worker.counts() for worker in workers.values()])

        with served("metrics.port", config.metrics.port, exposed), _running(workers.values(), stopping) as finish:
            _log.info("notifier follows %s", config.pubsub.subscription)
            follow(config.pubsub.subscription, dispatcher.dispatch, finish, stopping)
    _log.info("notifier stops")


def routed_receivers(config: Config, clock: Clock) -> list[Receiver]:
    """Opens the receivers that a route names. Raises ConfigError for the key of answers."""
    names = {name for route in config.routes for name in route.receivers}
    return [config.answers.linked(settings.open(), clock) for settings in config.all_receivers() if settings.name in names]


@contextmanager
def _running(workers: Collection[ReceiverWorker], stopping: threading.Event) -> Iterator[Callable[[], None]]:
    """Runs a thread for each worker. Yields what stops them and waits for the attempts under way."""
    threads = [threading.Thread(target=_work, args=(worker, stopping), name=worker.name) for worker in workers]

    def finish() -> None:
        stopping.set()
        for worker in workers:
            worker.woken.set()
        for thread in threads:
            thread.join()

    for thread in threads:
        thread.start()
    try:
        yield finish
    finally:
        finish()


def _work(worker: ReceiverWorker, stopping: threading.Event) -> None:
    while True:
        worker.woken.clear()
        if stopping.is_set():  # after the clearing: who stops it sets this first and wakes it then
            return
        try:
            due = worker.run_due()
        except Exception:  # noqa: BLE001
            # A full disk, most likely. If this thread ended, its receiver would be silent for ever.
            _log.exception("an attempt of %s failed", worker.name)
            due = AFTER_FAULT_SECONDS
        if due > 0:
            worker.woken.wait(due)
