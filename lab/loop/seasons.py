"""Plays two seasons: in the first the shipped model runs and fields teach; in the second the successor runs, and two bad releases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge.models.bundle import Bundle
from lab.loop import answers
from lab.loop.bad_release import hasty, renamed
from lab.loop.growth import Fields
from lab.loop.publisher import damage
from lab.loop.result import Gate, Size, Step
from lab.loop.stretch import Farm
from lab.loop.world import DAYS, ProbeSeason
from lab.services.stack import Child, StartFailed
from program.child import python_module

CANARY_ENDS, BAD_BEGINS, BAD_ENDS, DAMAGED = 50, 70, 90, 100
"""Days of the second season: the successor runs on some gateways to the first of them, a bad release between the next two, and from the
last on a damaged one is offered. In the first month nearly all fields are moist, whoever judges.
"""
CANARY_SHARE = 25.0
SETTLED = timedelta(days=20)
"""So long after a season's last window it is known what came of it."""
_LIMITS = {"steps": (CANARY_SHARE, 100.0)}
"""All others are the defaults."""
_TRAIN_SECONDS = 900.0


class FirstSeason:
    """Is lived by the shipped model; what it showed teaches a successor."""

    def __init__(self, farm: Farm, fields: Fields, begin: datetime, size: Size) -> None:
        self._farm, self._fields, self._size, self.begin = farm, fields, size, begin
        self.probes: list[ProbeSeason] = []
        self.successor = farm.directory / "successor"

    @property
    def known_until(self) -> datetime:
        return self.begin + timedelta(days=DAYS) + SETTLED

    def play(self) -> None:
        """Raises StartFailed."""
        self.probes = grown(self._farm, self._fields, 0, self.begin, {})
        self._farm.live(self.probes, 1, DAYS)
        self._farm.load()
        said = answers.say(self._farm.client, self.probes)
        self._farm.console.log(f"farmers said of {said} waterings when and how much")

    def teach(self) -> None:
        """Trains the successor, as people do. Raises StartFailed if that fails; a refusal is part of the gate's figures."""
        words = ["train", "soil", "--from=warehouse", f"--until={self.known_until:%Y-%m-%d}", f"--output={self.successor}"]
        words += [f"--seasons={self._size.lessons}", "--workers=2", f"--figures={self._figures}"]
        log = self._farm.directory / "train.log"
        try:
            with Child("train", python_module("tinybeam", *words), log, self._farm.warehouse.environment) as child:
                child.wait_until_done(_TRAIN_SECONDS)
        except StartFailed:
            if not self._figures.is_file() or not self.gate.refusals:
                raise
        refused = self.gate.refusals
        self._farm.console.log(
            "the successor is refused" if refused else "the successor is better at the sites held out, and passed the gate"
        )

    @cached_property
    def gate(self) -> Gate:
        return msgspec.json.decode(self._figures.read_bytes(), type=Gate)

    @property
    def _figures(self) -> Path:
        return self._farm.directory / "gate.json"


class Bad(NamedTuple):
    """Names a release that should not run."""

    name: str
    version: str
    release: int


class SecondSeason:
    """Releases the successor, then what should not run."""

    def __init__(self, farm: Farm, fields: Fields, begin: datetime, first: FirstSeason) -> None:
        self._farm, self._fields, self._first, self.begin = farm, fields, first, begin
        self.gateways = sorted({probe.gateway_id for plan in fields.planned for probe in plan.probes})
        self.probes: list[ProbeSeason] = []
        self.steps: list[Step] = []
        self.bad: list[Bad] = []
        self.successor: int | None = None
        """The number of its release."""

    def play(self) -> None:
        """Raises StartFailed and ReleaseError."""
        self.probes = grown(
            self._farm, self._fields, 1, self.begin, {each.probe.device_id: each.readings + 1 for each in self._first.probes}
        )
        self.successor = self._try("successor", self._first.successor, 1, CANARY_ENDS)
        self._farm.live(self.probes, CANARY_ENDS, BAD_BEGINS)
        bundle = hasty(self._first.successor, self._farm.directory / "hasty")
        number = self._try("hasty one, which calls most fields dry", bundle, BAD_BEGINS, BAD_ENDS)
        self.bad.append(Bad("hasty", Bundle.load(bundle).version, number))
        self._farm.live(self.probes, BAD_ENDS, DAMAGED)
        self._damaged_release(DAMAGED)
        self._farm.live(self.probes, DAMAGED, DAYS)
        self._farm.load()

    def _try(self, name: str, bundle: Path, begin: int, end: int) -> int:
        """Runs a release on some gateways for some days, and lets it be decided. Returns its number."""
        number = self._release(bundle, name, begin)
        chosen = self._farm.publisher.roll_out(number, CANARY_SHARE, _LIMITS, self.gateways, self._day(begin))
        self._note(begin, f"release {number}, the {name}, on {len(chosen)} of {len(self.gateways)} gateways")
        self._farm.live(self.probes, begin, end)
        self._farm.load()
        decision = self._farm.publisher.advance(self._farm.client, self._day(begin), self._day(end))
        self._note(end, f"{decision.action}: {'; '.join(decision.reasons)}")
        return number

    def _damaged_release(self, day: int) -> None:
        bundle = renamed(self._first.successor, self._farm.directory / "damaged")
        number = self._release(bundle, "one whose file is damaged on its way", day)
        self._farm.publisher.roll_out(number, 100.0, _LIMITS, self.gateways, self._day(day))
        damage(self._farm.publisher.published, number)
        self._note(day, f"release {number} on all gateways, with a bit of its file flipped where it is published")
        self.bad.append(Bad("damaged", Bundle.load(bundle).version, number))

    def _release(self, bundle: Path, name: str, day: int) -> int:
        number = self._farm.publisher.release(bundle, self._day(day))
        self._farm.console.log(f"release {number}, the {name}, is signed by two of three")
        return number

    def _day(self, day: int) -> datetime:
        return self.begin + timedelta(days=day)

    def _note(self, day: int, text: str) -> None:
        self.steps.append(Step(day=day, text=text))
        self._farm.console.log(f"day {day}: {text}")


def grown(farm: Farm, fields: Fields, number: int, begin: datetime, first_seqs: Mapping[str, int]) -> list[ProbeSeason]:
    """Waits for a season of every field. `first_seqs` maps a device to the number of its next reading."""
    probes = []
    for plan, season in zip(fields.planned, fields.seasons(number), strict=True):
        probes += [ProbeSeason(probe, begin, season, first_seqs.get(probe.device_id, 1)) for probe in plan.probes]
        farm.console.status(f"season {number + 1}: {plan.site_id} has grown {plan.crop}")
    farm.console.log(f"{len(fields.planned)} fields have grown in the crop-water model")
    return probes
