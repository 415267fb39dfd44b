"""Counts what the notifier has done since it started, and writes it as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from program.exposition import family

_PREFIX = "tinybeam_notifier_"


@dataclass(slots=True)
class MessageCounts:
    """Counts messages of the subscription, repeated ones too."""

    received: int = 0
    discarded: int = 0
    too_old: int = 0


@dataclass(slots=True)
class ReceiverCounts:
    """Counts what one receiver was sent, and says what waits for it."""

    receiver: str
    sent: int = 0
    failed: int = 0
    given_up: int = 0
    waiting: int = 0


def exposition(messages: MessageCounts, receivers: Sequence[ReceiverCounts]) -> str:
    """Returns the text."""
    lines = list[str]()
    for name, meaning, of_messages in _OF_MESSAGES:
        lines += family(f"{_PREFIX}{name}", "counter", meaning, [({}, of_messages(messages))])
    for name, kind, meaning, of_receiver in _OF_RECEIVERS:
        lines += family(f"{_PREFIX}{name}", kind, meaning, [({"receiver": each.receiver}, of_receiver(each)) for each in receivers])
    return "".join(lines)


_OF_MESSAGES: list[tuple[str, str, Callable[[MessageCounts], int]]] = [
    ("messages_total", "Messages received, repeated ones too", lambda messages: messages.received),
    ("discarded_total", "Messages that were no notifications: the log has them", lambda messages: messages.discarded),
    ("too_old_total", "Notifications that came later than notify.max_age_seconds", lambda messages: messages.too_old),
]
_OF_RECEIVERS: list[tuple[str, Literal["counter", "gauge"], str, Callable[[ReceiverCounts], int]]] = [
    ("sent_total", "counter", "Notices that a receiver has taken", lambda counts: counts.sent),
    ("failed_total", "counter", "Attempts that a receiver has not taken", lambda counts: counts.failed),
    (
        "given_up_total",
        "counter",
        "Notices given up after retry.max_elapsed_time, never sent",
        lambda counts: counts.given_up,
    ),
    ("waiting", "gauge", "Notices that wait for a receiver", lambda counts: counts.waiting),
]
