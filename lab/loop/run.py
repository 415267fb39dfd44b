"""Plays the loop: a season by the shipped model, a successor that the fields taught, its release to some and to all, and two bad releases.

The second season says what came of it: figures are of sites that had no part in training, in a season that came after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.models.bundle import Bundle
from lab.acts.analyst import prepare
from lab.acts.gateways import BUNDLES
from lab.acts.reconciliation import Reconciliation
from lab.console import Console
from lab.folder import emptied
from lab.loop import answers, figures, report, verdicts
from lab.loop.bad_release import hasty, renamed
from lab.loop.publisher import Publisher, damage
from lab.loop.result import FILE, BadRelease, Result, Size, Step
from lab.loop.stretch import Farm, grow
from lab.loop.world import DAYS, FieldSeason, Plan, plans, write_registry
from lab.services.stack import Child, StartFailed, Warehouse
from lab.witness import delivered
from program.child import python_module
from releases.error import ReleaseError
from schemas.registry import Registry
from training import warehouse as training_warehouse
from training.soil.metrics import line

CANARY_ENDS, BAD_BEGINS, BAD_ENDS = 30, 75, 85
"""Days of the second season: the successor runs on some gateways to the first of them, a bad release between the others."""
CANARY_SHARE = 25.0
_LIMITS = {"steps": (CANARY_SHARE, 100.0), "max_label_distance": 0.5, "max_score_distance": 0.5, "max_events": 3.0}
"""A few gateways of other climates than their control differ from it, whatever they run."""
_TRAIN_SECONDS = 900.0
_FIRST_SEASON, _SETTLED = timedelta(days=500), timedelta(days=20)


def loop(directory: Path, seed: int, console: Console) -> bool:
    """Runs all of it at its full size. Returns whether the result is sound. Raises StartFailed."""
    try:
        return run(directory, Size(), seed, console).sound
    except ReleaseError as error:
        raise StartFailed(str(error)) from error


def run(directory: Path, size: Size, seed: int, console: Console) -> Result:
    """Runs all of it; logs and summary.json are in `directory`. Raises StartFailed and ReleaseError."""
    planned = plans(size.gateways, size.fields_each, 2, seed)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = today - _FIRST_SEASON, today - timedelta(days=DAYS) - _SETTLED
    with _farm(directory, planned, begins[0], console) as farm:
        story = _Story(farm, planned, begins, today, size)
        console.title("A season by the shipped model, in climates that it was not trained on")
        story.first_season()
        console.title("What the fields showed teaches a successor")
        story.train()
        console.title("The next season: the successor on some gateways, then on all; and two bad releases")
        story.second_season()
        result = story.result()
        result.save(directory / FILE)
        console.title("What came of it")
        console.show("\n".join(line(name, metrics) for name, metrics in result.metrics.items()))
        console.show(f"summary: {directory / FILE}\nreport: {report.write(directory, result)}")
        return result


@contextmanager
def _farm(directory: Path, planned: list[Plan], since: datetime, console: Console) -> Iterator[Farm]:
    with Warehouse(emptied(directory)) as warehouse, ThreadPoolExecutor(1) as pool:
        registry = write_registry(directory, planned)
        client = delivered.connect(warehouse)
        tables = pool.submit(prepare, client, Registry.load(registry), lambda _: None)
        publisher = Publisher.founded(directory, since)
        publisher.publish(since)
        tables.result()
        console.log(f"a farm of {len(planned)} fields, its warehouse, and the keys of three who release models")
        yield Farm(directory, registry, warehouse, publisher, Reconciliation(client, since), console)


class _Story:
    """Takes the steps in their order."""

    def __init__(self, farm: Farm, planned: list[Plan], begins: tuple[datetime, datetime], today: datetime, size: Size) -> None:
        self._farm, self._planned, self._begins, self._today, self._size = farm, planned, begins, today, size
        self._client, self._console = farm.reconciliation.client, farm.console
        self._gateways = sorted({plan.gateway_id for plan in planned})
        self._first: list[FieldSeason] = []
        self._second: list[FieldSeason] = []
        self._steps: list[Step] = []
        self._bad: list[BadRelease] = []
        self._successor = farm.directory / "successor"

    @property
    def _known_until(self) -> datetime:
        return self._begins[0] + timedelta(days=DAYS) + _SETTLED

    def first_season(self) -> None:
        self._first = self._grown(0, {})
        self._farm.live("season-1", self._first, 1, DAYS)
        said = answers.say(self._client, self._first)
        self._console.log(f"farmers said of {said} waterings when and how much")

    def train(self) -> None:
        """Raises StartFailed, with the table, if the successor is refused."""
        words = ["train", "soil", "--from=warehouse", f"--until={self._known_until:%Y-%m-%d}", f"--output={self._successor}"]
        words += [f"--seasons={self._size.lessons}", "--workers=2"]
        log = self._farm.directory / "train.log"
        with Child("train", python_module("tinybeam", *words), log, self._farm.warehouse.environment) as child:
            child.wait_until_done(_TRAIN_SECONDS)
        self._console.show("\n".join(line for line in log.read_text().splitlines() if "error" in line or "held out" in line))
        self._console.log("the successor is better at the sites held out, and has passed the gate")

    def second_season(self) -> None:
        self._second = self._grown(1, {each.plan.device_id: each.readings + 1 for each in self._first})
        publisher, gateways = self._farm.publisher, self._gateways
        number = self._release(self._successor, "successor", 1)
        chosen = publisher.roll_out(number, CANARY_SHARE, _LIMITS, gateways, self._day(1))
        self._note(1, f"release {number} on {len(chosen)} of {len(gateways)} gateways")
        self._live(1, CANARY_ENDS)
        self._advance(CANARY_ENDS, 1)
        self._live(CANARY_ENDS, BAD_BEGINS)
        self._bad_release(BAD_BEGINS, BAD_ENDS)
        self._damaged_release(BAD_ENDS)
        self._live(BAD_ENDS, DAYS)

    def result(self) -> Result:
        known = training_warehouse.soil(self._client, self._begins[0], self._known_until)[0].split()[0]
        unseen = training_warehouse.soil(self._client, self._begins[1], self._today)[0].split()[1]
        successor, current = Bundle.load(self._successor), Bundle.load(BUNDLES / "soil")
        scores = figures.said(self._client, successor, self._begins[1], self._today)
        models = {"v2": successor, "v1": current}
        measured = figures.measure_all(scores, figures.truth_of(self._second), models, known, unseen)
        counted = [verdicts.windows(self._client, begin, begin + timedelta(days=DAYS + 1)) for begin in self._begins]
        ever_ran = verdicts.ever_ran(self._client, self._begins[1], self._today)
        verdict = self._farm.reconciliation.verdict()
        return Result(
            metrics=measured.metrics,
            windows_measured=measured.windows,
            held_out_sites=unseen.sites,
            training_sites=known.sites,
            bad_releases=tuple(bad.ran_on(ever_ran.get(bad.version, 0) / len(self._gateways)) for bad in self._bad),
            steps=tuple(self._steps),
            ran=verdicts.ran(self._client, self._begins[1], self._today),
            example=measured.example,
            readings=verdict.acknowledged,
            lost=len(verdict.lost),
            repeated=verdict.repeated,
            windows=sum(total for total, _, _ in counted),
            windows_too_young=sum(young for _, young, _ in counted),
            windows_without_verdict=sum(missing for _, _, missing in counted),
            release_faults=tuple(dict.fromkeys(self._farm.faults)),
            seconds=round(self._console.seconds, 1),
        )

    def _grown(self, number: int, first_seqs: dict[str, int]) -> list[FieldSeason]:
        grown = grow(self._planned, number, self._begins[number], first_seqs, self._console.status)
        self._console.log(f"{len(grown)} fields have grown in the crop-water model")
        return grown

    def _day(self, day: int) -> datetime:
        return self._begins[1] + timedelta(days=day)

    def _live(self, first_day: int, last_day: int) -> None:
        self._farm.live(f"season-2-{first_day}", self._second, first_day, last_day)

    def _release(self, bundle: Path, name: str, day: int) -> int:
        number = self._farm.publisher.release(bundle, self._day(day))
        self._console.log(f"release {number}, the {name}, is signed by two of three")
        return number

    def _note(self, day: int, text: str) -> None:
        self._steps.append(Step(day=day, text=text))
        self._console.log(f"day {day}: {text}")

    def _advance(self, day: int, since: int) -> str:
        decision = self._farm.publisher.advance(self._client, self._day(since), self._day(day))
        self._note(day, f"{decision.action}: {'; '.join(decision.reasons)}")
        return decision.action

    def _bad_release(self, begin: int, end: int) -> None:
        bundle = hasty(self._successor, self._farm.directory / "hasty")
        number = self._release(bundle, "hasty one, which calls most fields dry", begin)
        chosen = self._farm.publisher.roll_out(number, CANARY_SHARE, _LIMITS, self._gateways, self._day(begin))
        self._note(begin, f"release {number} on {len(chosen)} of {len(self._gateways)} gateways")
        self._live(begin, end)
        action = self._advance(end, begin)
        self._bad.append(BadRelease(name="hasty", version=Bundle.load(bundle).version, ended=action))

    def _damaged_release(self, day: int) -> None:
        bundle = renamed(self._successor, self._farm.directory / "damaged")
        number = self._release(bundle, "one whose file is damaged on its way", day)
        self._farm.publisher.roll_out(number, 100.0, _LIMITS, self._gateways, self._day(day))
        damage(self._farm.publisher.published, number)
        self._note(day, f"release {number} on all gateways, with a bit of its file flipped where it is published")
        self._bad.append(BadRelease(name="damaged", version=Bundle.load(bundle).version, ended="never started"))
