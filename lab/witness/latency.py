"""Measures from outside how long a reading takes to become a row in the warehouse, by asking the warehouse again and again.

The resolution is the time between two questions; a batch counts with its newest reading, so waiting for the window to close is in it.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType

NewestReadings = Callable[[], Mapping[str, datetime]]
"""Asks the warehouse: id of each batch that is there -> time of its newest reading."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Names a batch that the warehouse showed at `visible` for the first time."""

    batch_id: str
    newest_reading: datetime
    visible: datetime

    @property
    def milliseconds(self) -> float:
        return (self.visible - self.newest_reading).total_seconds() * 1000


class ArrivalMonitor:
    """Asks in a thread of its own, every `interval` seconds: `with ArrivalMonitor(ask) as monitor: ...; monitor.arrivals()`."""

    def __init__(self, ask: NewestReadings, interval: float = 0.5) -> None:
        self._ask, self._interval = ask, interval
        self._arrivals: dict[str, Arrival] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="latency", daemon=True)
        self._failed: Exception | None = None

    def __enter__(self) -> ArrivalMonitor:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join(10.0)

    def arrivals(self) -> list[Arrival]:
        """Returns the arrivals so far. Raises what asking raised."""
        if self._failed:
            raise self._failed
        return list(self._arrivals.values())

    def _run(self) -> None:
        try:
            while not self._ended.wait(self._interval):
                newest_readings, now = self._ask(), datetime.now(UTC)
                for batch_id in newest_readings.keys() - self._arrivals.keys():
                    self._arrivals[batch_id] = Arrival(batch_id, newest_readings[batch_id], now)
        except Exception as error:  # noqa: BLE001 - raised to the caller of arrivals()
            self._failed = error


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the smallest value that at least this share of all does not exceed. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
