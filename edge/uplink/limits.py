"""Declares [uplink.limits]: how many bytes may go up in a second and in a day. Each kind of uplink has it, and counts as it sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from edge.store.store import OutboxBatch
from program.settings import Settings, require, setting
from schemas.envelope import MAX_BODY_BYTES

LEAST_PER_SECOND, LEAST_PER_DAY = 100, 100_000
DAY_SECONDS = 86_400
MOST = 1 << 44


class Limits(Settings, frozen=True, kw_only=True):
    """Bounds what goes up on a line that is slow or paid for by the byte. Events always go."""

    max_bytes_per_second: Annotated[
        int,
        setting(
            f"Most bytes a second on average, at least {LEAST_PER_SECOND}. 0: as many as the line carries", ge=0, le=MOST, since="0.3.0"
        ),
    ] = 0
    max_bytes_per_day: Annotated[
        int,
        setting(
            f"Most bytes between two midnights UTC, at least {LEAST_PER_DAY}; once spent only events and heartbeats go. 0: no limit",
            ge=0,
            le=MOST,
            since="0.3.0",
        ),
    ] = 0

    def __post_init__(self) -> None:
        for name, least in (("max_bytes_per_second", LEAST_PER_SECOND), ("max_bytes_per_day", LEAST_PER_DAY)):
            value: int = getattr(self, name)
            require(value == 0 or value >= least, f"{name} must be 0 or at least {least}, not {value}: nothing but events would go")

    def excess(self, day_bytes: float) -> str | None:
        """Says by how much a day of so many bytes is more than these limits allow; None if it is not."""
        limits = {"max_bytes_per_day": self.max_bytes_per_day, "max_bytes_per_second": self.max_bytes_per_second * DAY_SECONDS}
        for name, limit in limits.items():
            if 0 < limit < day_bytes:
                return f"that is {day_bytes / limit:.1f} times what uplink.limits.{name} allows: what is no event comes later each day"
        return None


@dataclass(frozen=True, slots=True)
class Wire:
    """Counts the bytes of a request on the line: `around` it, and of each message. TCP, TLS and what comes down are not counted."""

    around: int
    message: Callable[[OutboxBatch], int]
    max_body_bytes: int = MAX_BODY_BYTES
    """Batches are cut so that no body is larger."""

    def request(self, batches: Sequence[OutboxBatch]) -> int:
        return self.around + sum(map(self.message, batches))
