"""The seam between the uplink and a service that takes batches: what a kind of uplink provides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from edge.store.store import OutboxBatch


class UplinkError(Exception):
    """The uplink cannot be set up; the text names the setting."""


class Answer(Protocol):
    """A future: what became of one batch. Google's futures and those of concurrent.futures are answers."""

    def exception(self) -> BaseException | None: ...
    def add_done_callback(self, callback: Callable[[Any], Any], /) -> Any: ...


class Publisher(Protocol):
    """Where batches go, under which topic or path, is the publisher's own affair.

    `publish` sends a batch's body with `batch.envelope.attributes()`, unchanged. It neither raises nor waits: the answer, given from any
    thread, carries every fault. The same batch may be published again, and its answer may come late or never.
    """

    def publish(self, batch: OutboxBatch) -> Answer: ...
    def refuses_only_this(self, error: BaseException) -> bool:
        """Whether the fault is of this batch, and another might pass."""
        ...

    def close(self) -> None:
        """Waits for what is under way and closes the connection."""
        ...
