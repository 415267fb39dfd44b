"""How long to wait before something that failed is tried again: the one law of back-off, for every part that retries.

Guarantees full jitter: a wait is random, anywhere between 0 and a bound that grows with each failure in a row. So those that failed
together do not come back together (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). The settings have
OpenTelemetry's words. Randomness and elapsed time are passed in, and nothing here waits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Annotated

import msgspec
from msgspec import Meta

_MOST_DOUBLINGS = 64
"""The exponent stops here, so that years of failures do not overflow."""


class Backoff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a back-off, and its formula. Seconds.

    For a loop: `for pause in Backoff(max_interval=60.0).delays(Random()): ...`; for a clock of one's own: `delay` after each failure.
    """

    initial_interval: Annotated[float, Meta(ge=0.01, description="The bound after the first failure, in seconds.")] = 1.0
    max_interval: Annotated[float, Meta(ge=0.01, description="What the bound grows to, in seconds.")] = 300.0
    multiplier: Annotated[float, Meta(ge=1.0, description="What the bound grows by with each failure.")] = 2.0
    max_elapsed_time: Annotated[float, Meta(ge=0.0, description="Seconds after which it is given up; 0: never.")] = 0.0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be a finite number")
        if self.max_interval < self.initial_interval:
            raise ValueError(f"max_interval must be at least {self.initial_interval}, not {self.max_interval}")

    def delay(self, failures: int, rng: Random) -> float:
        """The time to wait after so many failures in a row, at least 1."""
        bound = self.initial_interval * self.multiplier ** min(failures - 1, _MOST_DOUBLINGS)
        return rng.uniform(0, min(self.max_interval, bound))

    def delays(self, rng: Random) -> Iterator[float]:
        """The time to wait after the first failure, the second, and so on, for ever."""
        return (self.delay(failures, rng) for failures in count(1))

    def gives_up(self, elapsed: float) -> bool:
        """Whether an attempt so long after the first one is an attempt too many."""
        return 0 < self.max_elapsed_time < elapsed
