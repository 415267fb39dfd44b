"""A fleet that is simulated day by day: gateways, what they run, and what the warehouse would say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from statistics import mean
from typing import Any

import msgspec

from releases.health import Health, read
from releases.rollout import Rollout

DEVICES = 2


@dataclass(frozen=True, slots=True)
class Conduct:
    """Is how a release behaves: events a device-day, share of windows not normal, ms a window, shares that fall back and that fail."""

    events: float = 0.3
    not_normal: float = 0.10
    scoring_ms: float = 4.0
    refused: float = 0.0
    failures: float = 0.0


GOOD = Conduct()
BAD: Mapping[str, Conduct] = {
    "noisy": Conduct(events=3.0, not_normal=0.4),
    "blind": Conduct(events=0.0, not_normal=0.0),
    "slow": Conduct(scoring_ms=40.0),
    "crashing": Conduct(refused=0.5, failures=0.2),
}


class Fleet:
    """Has 1,000 gateways that differ as farms do. `ran` are those that ever ran the release."""

    def __init__(self, size: int, conduct: Conduct, random: Random) -> None:
        self._random, self._conduct = random, conduct
        self._farms = {f"gateway-{number}": random.lognormvariate(0, 0.3) for number in range(size)}
        self._days: dict[bool, list[dict[str, float]]] = {True: [], False: []}
        self._refused: set[str] = set()
        self.ran: set[str] = set()

    @property
    def gateways(self) -> list[str]:
        return list(self._farms)

    def day(self, rollout: Rollout) -> None:
        """Lets each gateway run what its rollout says for a day."""
        for gateway, farm in self._farms.items():
            canary = rollout.chooses(gateway)
            conduct = self._conduct if canary else GOOD
            if canary:
                self.ran.add(gateway)
                if self._random.random() < conduct.refused:
                    self._refused.add(gateway)
            self._days[canary].append(
                {
                    "events": mean(self._events(conduct.events * farm) for _ in range(DEVICES)),
                    "not_normal": min(1.0, conduct.not_normal * farm),
                    "scoring_ms": conduct.scoring_ms * self._random.uniform(0.8, 1.25),
                    "failures": conduct.failures * self._random.random(),
                }
            )

    def health(self, rollout: Rollout) -> Health | None:
        """What `release_health` would say of these days."""
        if not self.ran:
            return None
        row: dict[str, Any] = {"model": rollout.model, "release": rollout.release, "control": rollout.previous}
        row |= {"gateways": len(self.ran), "gateways_refused": len(self._refused), "refusals": "crashed" if self._refused else None}
        for canary, prefix in ((True, ""), (False, "control_")):
            days = self._days[canary]
            row |= {
                f"{prefix}device_days": DEVICES * len(days),
                f"{prefix}events_a_device_day": _mean(day["events"] for day in days),
                f"{prefix}not_normal_share": _mean(day["not_normal"] for day in days),
                f"{prefix}scoring_ms": _mean(day["scoring_ms"] for day in days),
                f"{prefix}failures_per_inference": _mean(day["failures"] for day in days),
            }
        return read(msgspec.json.encode([row]), "the simulation")[0]

    def _events(self, rate: float) -> int:
        """Draws how many events a day has, by arrivals in an hour each."""
        return sum(self._random.random() < rate / 24 for _ in range(24))


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return mean(found) if found else None
