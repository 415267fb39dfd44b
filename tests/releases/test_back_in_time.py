"""M2: a gateway never goes back, in whatever order it is offered what was published, and whatever it loses in between."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from releases import drafting, renewal
from releases.client import Client
from releases.error import ReleaseError
from releases.source import Source
from tests import long_form
from tests.edge.folders import memory_folder
from tests.releases.publisher import HOLDERS, NOW, Publisher

SEED = 20260501
SCHEDULES, CONTROLS, VISITS, STATES = long_form.number(10, 1_000), long_form.number(10, 100), 12, 8


@pytest.fixture(scope="module")
def states() -> Iterator[list[Path]]:
    """What was published, one after the other: releases, rollouts, and a root with other keys. Each has its number for a share."""
    with memory_folder() as folder:
        publisher = Publisher(folder)
        release, found = publisher.release(), []
        for number in range(STATES):
            if number % 3 == 1:
                release = publisher.release()
            if number % 4 == 2:
                renew(publisher)
            publisher.roll_out(release, number)
            publisher.publish()
            found.append(Path(shutil.copytree(publisher.site, folder / f"state {number}")))
        shutil.copy(publisher.root, folder / "root.json")
        yield found


def renew(publisher: Publisher) -> None:
    renewal.renew(publisher.repository, publisher.now)
    for key in ("root", "releases"):
        for holder in HOLDERS[:2]:
            drafting.sign(publisher.repository, publisher.key(holder, key))


class Gateway:
    """Visits states, and loses, tears or restores what it keeps of them; not its counters."""

    def __init__(self, folder: Path, root: Path, random: Random) -> None:
        self._cache, self._counters, self._root = folder / "metadata", folder / "seen.json", root
        self._kept, self._random = folder / "kept", random

    def visit(self, state: Path) -> int | None:
        """Returns the number of the state if it is believed."""
        try:
            client = Client(Source(str(state)), self._cache, self._root, self._counters)
            (rollout,) = client.refresh(NOW)
        except ReleaseError:
            return None
        return int(rollout.share)

    def suffer(self) -> None:
        """Lets one thing happen to its metadata."""
        match self._random.randrange(5):
            case 0:
                shutil.rmtree(self._cache, ignore_errors=True)
            case 1:
                self._copy(self._cache, self._kept)
            case 2:
                self._copy(self._kept, self._cache)
            case 3:
                for file in self._cache.glob("*.json"):
                    content = file.read_bytes()
                    file.write_bytes(content[: self._random.randrange(len(content))])

    def forget(self) -> None:
        self._counters.unlink(missing_ok=True)

    def _copy(self, source: Path, target: Path) -> None:
        if source.exists():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, symlinks=True)


def steps_back(states: list[Path], schedule: int, *, counters: bool) -> tuple[int, int]:
    """How often a gateway believed something older than before, of how many visits that it believed."""
    random = Random(SEED + schedule)
    newest, back, believed = -1, 0, 0
    with memory_folder() as folder:
        gateway = Gateway(folder, states[0].parent / "root.json", random)
        for _ in range(VISITS):
            gateway.suffer()
            if not counters:
                gateway.forget()
            came = gateway.visit(random.choice(states))
            if came is not None:
                back += came < newest
                newest, believed = max(newest, came), believed + 1
    return back, believed


def test_a_gateway_never_goes_back_whatever_it_is_offered_and_whatever_it_loses(states: list[Path]) -> None:
    believed = 0
    for schedule in range(SCHEDULES):
        back, of_it = steps_back(states, schedule, counters=True)
        assert not back, f"seed {SEED + schedule}"
        believed += of_it
        long_form.progress(schedule, SCHEDULES)
    assert believed > SCHEDULES
    text = f"{SCHEDULES:,} gateways made {SCHEDULES * VISITS:,} visits to {STATES} states in any order, believed {believed:,}, 0 steps back"
    long_form.note("M2", measured=text, seed=SEED)


def test_without_its_own_counters_a_gateway_is_seen_to_go_back(states: list[Path]) -> None:
    back = sum(steps_back(states, schedule, counters=False)[0] for schedule in range(CONTROLS))
    assert back
    long_form.note("M2", control=f"without counters of their own the first {CONTROLS:,} of these gateways go back {back:,} times")
