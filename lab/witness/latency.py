"""How long it takes from a reading to its row in the warehouse, measured from outside by asking the warehouse again and again.

The resolution is the time between two questions; a batch counts with its newest reading, so waiting for the window to close is in it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType

Ask = Callable[[], Mapping[str, datetime]]
"""What is in the warehouse: name of a batch -> time of the newest reading in it."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A batch that was there at `seen` for the first time."""

    batch_id: str
    newest: datetime
    seen: datetime

    @property
    def milliseconds(self) -> float:
        return (self.seen - self.newest).total_seconds() * 1000


class Watch:
    """A context manager that asks in a thread of its own, every `interval` seconds."""

    def __init__(self, ask: Ask, interval: float = 0.5) -> None:
        self._ask, self._interval = ask, interval
        self._arrivals: dict[str, Arrival] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="latency", daemon=True)
        self._failed: Exception | None = None

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join(10.0)

    def arrivals(self) -> list[Arrival]:
        """So far. Raises what asking raised."""
        if self._failed:
            raise self._failed
        return list(self._arrivals.values())

    def _run(self) -> None:
        try:
            while not self._ended.wait(self._interval):
                there, now = self._ask(), datetime.now(UTC)
                for name in there.keys() - self._arrivals.keys():
                    self._arrivals[name] = Arrival(name, there[name], now)
        except Exception as error:  # noqa: BLE001 - told to who asks for the arrivals
            self._failed = error


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all does not exceed. Raises ValueError for none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
