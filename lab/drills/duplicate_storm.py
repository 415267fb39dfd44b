"""Every batch is delivered one to five times, in any order, and the pipeline loses its state in mid-hour."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from lab.drills import scenery
from lab.drills.drill import Ground, Outcome, judged
from lab.drills.scenery import BEGIN, NORTH, SOUTH, TEN_MINUTES, probe
from lab.drills.stage import Arrivals, moments

NAME = "duplicate-storm"
STORY = "Each batch comes up to five times, and the pipeline starts anew without its state in mid-hour: nothing is shown twice."

_RESTART, _END = BEGIN + timedelta(hours=6, minutes=20), BEGIN + timedelta(hours=12)
_QUIET = timedelta(minutes=30)
_SEED = 7


def run(ground: Ground) -> Outcome:
    stage = scenery.stage(ground, probe(1, NORTH), probe(2, NORTH), probe(3, SOUTH))
    stage.power_on(BEGIN)
    ground.console.log(f"seed {_SEED}")
    once = stage.play(BEGIN, _END, TEN_MINUTES) + stage.finish(_END)
    arrivals = _repeated(once, Random(_SEED))
    told = scenery.stream(ground, moments([each for each in arrivals if each[0] <= _RESTART], _QUIET))
    told += scenery.stream(ground, moments([each for each in arrivals if each[0] > _RESTART], _QUIET))
    scenery.recompute(ground)
    invariants = {"nobody is told of anything": not told, "certify: as loaded once and in order": scenery.is_certified(ground, once)}
    return judged(ground, stage.log, scenery.site_of, invariants)


def _repeated(arrivals: Arrivals, random: Random) -> Arrivals:
    """Delivers each batch again, up to four times, at any later moment."""
    repeated = [(now, list(arrived)) for now, arrived in arrivals]
    for place, (_, arrived) in enumerate(arrivals):
        for message in arrived:
            for _ in range(random.randrange(5)):
                repeated[random.randrange(place, len(arrivals))][1].append(message)
    for _, arrived in repeated:
        random.shuffle(arrived)
    return repeated
