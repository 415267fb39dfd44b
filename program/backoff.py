"""Says how long to wait before something that failed is tried again: the one law of back-off, for every part that retries.

Guarantees full jitter: a wait is random, anywhere between 0 and a limit that grows with each failure in a row. So those that failed
together do not come back together (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). The settings have
OpenTelemetry's words. Randomness and elapsed time are passed in, and nothing here waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Annotated

from program.settings import YEAR, Settings, require, setting

_MOST_DOUBLINGS = 64
"""The exponent stops here, so that years of failures do not overflow."""


class Backoff(Settings, frozen=True, kw_only=True):
    """Says how long to wait after a failure: a random time up to a limit that grows.

    In a loop: `for pause in Backoff(max_interval=60.0).delays(Random()): ...`; with a clock of one's own: `delay` after each failure.
    """

    initial_interval: Annotated[float, setting("Seconds. The limit after the first failure", ge=0.01, le=YEAR)] = 1.0
    max_interval: Annotated[float, setting("Seconds. The limit grows up to this", ge=0.01, le=YEAR)] = 300.0
    multiplier: Annotated[float, setting("The limit grows by this with every failure in a row", ge=1.0, le=100.0)] = 2.0

    def __post_init__(self) -> None:
        least = self.initial_interval
        require(self.max_interval >= least, f"max_interval must be at least {least}, not {self.max_interval}")

    def delay(self, failures: int, rng: Random) -> float:
        """Returns the seconds to wait after so many failures in a row; there is at least 1."""
        limit = self.initial_interval * self.multiplier ** min(failures - 1, _MOST_DOUBLINGS)
        return rng.uniform(0, min(self.max_interval, limit))

    def delays(self, rng: Random) -> Iterator[float]:
        """Yields the seconds to wait after the first failure, the second, and so on, for ever."""
        return (self.delay(failures, rng) for failures in count(1))


class LimitedBackoff(Backoff, frozen=True, kw_only=True):
    """Is a back-off that ends: what fails for too long is given up."""

    max_elapsed_time: Annotated[float, setting("Seconds. What failed for longer is given up. 0: never", ge=0, le=YEAR)] = 0.0

    def gives_up(self, elapsed: float) -> bool:
        """Says whether an attempt so many seconds after the first one is an attempt too many."""
        return 0 < self.max_elapsed_time < elapsed
