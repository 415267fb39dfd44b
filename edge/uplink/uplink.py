"""Defines the seam between the gateway and a service that takes batches: what a kind of uplink is. The kinds stand in edge.uplink.kinds.

A kind is one module with its settings (a struct with a tag, whose fields are [uplink] in gateway.toml), its publisher and its look for
`tinybeam edge doctor`. docs/how-to/add-an-uplink.md adds one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from edge.finding import Finding
from edge.store.store import OutboxBatch
from edge.uplink.limits import Limits, Wire
from program.backoff import Backoff
from schemas.records import LinkState


class UplinkError(Exception):
    """The uplink cannot be set up; the text names the setting."""


class LinkDown(Exception):
    """Nothing passes now, whichever batches are sent; `state` says why. Every other error of a request means offline."""

    def __init__(self, text: str, state: LinkState = LinkState.OFFLINE) -> None:
        super().__init__(text)
        self.state = state


class PublishFuture(Protocol):
    """Tells what became of one request; those of concurrent.futures do."""

    def exception(self) -> BaseException | None: ...
    def add_done_callback(self, callback: Callable[[Any], Any], /) -> Any: ...


class Publisher(Protocol):
    """Sends batches over an open uplink. Where they go, under which topic or path, is its own affair.

    `publish` sends batches that wait together, each with its body and envelope unchanged; the answer is of all of them. It neither raises
    nor waits: the answer, given from any thread, carries every fault. The same batch may be published again, and its answer may come late
    or never.
    """

    def publish(self, batches: Sequence[OutboxBatch]) -> PublishFuture: ...
    def refuses_only_this(self, error: BaseException) -> bool:
        """Says whether the fault is of these batches, and others might pass. Each of several is then sent alone."""
        ...

    def close(self) -> None:
        """Ends what is under way, which may have arrived or not, and closes the connection. Does not wait."""
        ...


class Uplink(Protocol):
    """Holds the settings of a kind of uplink, and opens it.

    Usage: `publisher = settings.open()`, `publisher.publish(batches).add_done_callback(...)`, `publisher.close()`.
    """

    @property
    def retry(self) -> Backoff:
        """Says how long to wait between two attempts while the uplink is down."""
        ...

    @property
    def limits(self) -> Limits:
        """Says how many bytes may go up."""
        ...

    @property
    def wire(self) -> Wire:
        """Counts the bytes of requests, for the limits and for estimates."""
        ...

    @property
    def destination(self) -> str:
        """Says where batches go, for people to read."""
        ...

    def open(self) -> Publisher:
        """Opens the uplink. Raises UplinkError. Asks no network: a gateway starts while it is offline."""
        ...

    def findings(self) -> Iterator[Finding]:
        """Yields what is well and what is not, under the name `uplink`; secrets are `edge.finding.of_secret`."""
        ...
