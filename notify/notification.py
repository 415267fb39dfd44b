"""Follows a notification under way: an alert's row, the receivers that do not have it yet, and the messages that it came in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from schemas.records import Alert


class Receipt(Protocol):
    """Acknowledges a message: `receipt.ack()`. A message that is not acknowledged comes again."""

    def ack(self) -> None: ...


@dataclass(slots=True)
class Notification:
    """Is an alert's row on its way to its receivers."""

    alert: Alert
    receivers: set[str]
    """Those that are not done with it."""
    on_done: Callable[[Notification, str], None]
    """What the worker of a receiver calls when that is done with it."""
    receipts: list[Receipt] = field(default_factory=list)
