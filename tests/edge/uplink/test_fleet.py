"""R10: fifty gateways whose uplink comes back at one moment are no storm: they make no more than twice the requests of a steady day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise, product
from pathlib import Path
from random import Random
from typing import NamedTuple

from edge.store.database import MIN_BYTES
from edge.store.store import Store
from tests import long_form
from tests.edge.pubsub_twin import PubSubTwin
from tests.edge.uplink.world import World, cut
from tests.program.longest import Longest

GATEWAYS = 50
FLEETS = long_form.number(1, 20)
SEED = 20260501
MINUTE, OUTAGE, ANSWER = 60.0, 600.0, 0.1
BEGINS, ENDS, UNTIL = OUTAGE, 2 * OUTAGE, 3 * OUTAGE
"""As long fine as down, and as long fine again."""
WAITING = (0, 600)
"""So many batches wait besides those of the outage, as many as a gateway cuts in ten hours."""
LENGTHS = {"second": 1.0, "minute": MINUTE}


class Request(NamedTuple):
    """A request: when it was made, and of how many batches."""

    time: float
    size: int


Traffic = Sequence[Sequence[Request]]
"""What each gateway of a fleet requested, in order."""


def peak(traffic: Traffic, seconds: float, begin: float, end: float) -> int:
    """How many requests of all gateways fell into any so many seconds from begin to end."""
    times, first, most = sorted(request.time for requests in traffic for request in requests if begin <= request.time < end), 0, 0
    for last, time in enumerate(times):
        while time - times[first] >= seconds:
            first += 1
        most = max(most, last + 1 - first)
    return most


def retries(requests: Sequence[Request]) -> list[Request]:
    """Those of the outage, after the one that found it out, and the one that ended it."""
    down = [request for request in requests if BEGINS <= request.time < ENDS]
    return [*down[1:], next(request for request in requests if request.time >= ENDS)]


def gateway(folder: Path, rng: Random, jitter: Random, waiting: int) -> list[Request]:
    """Requests of a gateway that cuts a batch a minute, at a second of its own, and an event when the uplink of all goes down."""
    with closing(Store(folder, "gw-1", MIN_BYTES)) as store:
        twin = PubSubTwin()
        world, phase = World(store, twin, jitter), rng.uniform(0, MINUTE)
        cuts = [(phase + minute * MINUTE, "summaries") for minute in range(int(UNTIL / MINUTE))]
        for time, *kinds in sorted([*cuts, (BEGINS, "events", *["summaries"] * waiting), (ENDS,)]):
            world.run(time)
            twin.weather = "down" if BEGINS <= time < ENDS else "fine"
            if kinds:
                cut(store, *kinds)
        world.run(UNTIL + MINUTE, world.drained)
        assert world.drained()
    return [Request(*each) for each in zip(twin.attempts, twin.sizes, strict=True)]


def fleet(folder: Path, number: int, waiting: int = 0, *, is_jittered: bool = True) -> Traffic:
    rng = Random(SEED + number)
    jitters = [Random(rng.random()) if is_jittered else Longest() for _ in range(GATEWAYS)]
    return [gateway(folder / f"{number}-{at}-{waiting}-{is_jittered}.db", rng, jitter, waiting) for at, jitter in enumerate(jitters)]


def times_steady(traffic: Traffic, steady: Traffic, seconds: float) -> float:
    """How many times as many requests as in fine weather fell into any so many seconds after the outage."""
    return peak(traffic, seconds, ENDS, UNTIL) / peak(steady, seconds, 0, BEGINS)


def test_gateways_that_come_back_at_once_make_no_storm(folder: Path) -> None:
    worst = defaultdict[str, float](float)
    for number, waiting in product(range(FLEETS), WAITING):
        traffic = fleet(folder, number, waiting)
        of_retries = [retries(requests) for requests in traffic]
        for which, requests in (("retries", of_retries), ("all requests", traffic)):
            for length, seconds in LENGTHS.items():
                name = f"{which} a {length}"
                worst[name] = max(worst[name], times_steady(requests, traffic, seconds))
        assert max(worst.values()) <= 2, f"seed {SEED + number}: {worst}"
        for each in of_retries:
            assert {request.size for request in each} == {1}, f"seed {SEED + number}: a retry of more than one batch"
            assert min(later.time - earlier.time for earlier, later in pairwise(each)) >= ANSWER, "two retries under way together"
        long_form.progress(number, FLEETS)
    said = ", ".join(f"{which} {times:.2f}" for which, times in worst.items())
    which = (
        f"{FLEETS:,} fleets of {GATEWAYS} gateways that send once a minute and reconnect at once, "
        f"and as many in which {WAITING[-1]} batches more wait in each"
    )
    long_form.note("R10", measured=f"{which}: as multiples of the steady peak at most {said}", seed=SEED)


def test_without_jitter_the_same_gateways_do_storm(folder: Path) -> None:
    traffic = fleet(folder, 0, is_jittered=False)
    times = times_steady([retries(requests) for requests in traffic], traffic, 1.0)
    assert times > 2, "this test cannot see a storm"
    long_form.note("R10", control=f"without jitter {times:.1f} times as many retries as steady requests fall into one second")
