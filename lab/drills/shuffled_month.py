"""A month of export files is loaded in the worst order: shuffled, doubled, split over three runs, one probe heard by two gateways."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from lab.drills import scenery
from lab.drills.drill import Ground, Outcome, judged
from lab.drills.gateway import Pace
from lab.drills.scenery import BEGIN, NORTH, SOUTH, probe
from lab.drills.stage import messages

NAME = "shuffled-month"
STORY = "A month of batches, shuffled, doubled and split over three batch runs, one probe heard by two gateways: every cell is right."

_HOUR = timedelta(hours=1)
_END = BEGIN + timedelta(days=30)
_PACE = Pace(window_seconds=3600, batch_seconds=7200, heartbeat_seconds=86_400)
_RUNS = 3
_SEED = 20260504


def run(ground: Ground) -> Outcome:
    stage = scenery.stage(ground, probe(1, NORTH), probe(2, NORTH, SOUTH), probe(3, SOUTH), pace=_PACE)
    stage.power_on(BEGIN)
    arrivals = stage.play(BEGIN, _END, _HOUR) + stage.finish(_END)
    batches = messages(arrivals) * 2
    ground.console.log(f"{len(batches)} batches, doubled and shuffled with seed {_SEED}, in {_RUNS} runs")
    Random(_SEED).shuffle(batches)
    for number in range(_RUNS):
        scenery.load(ground, f"run-{number + 1}", batches[number::_RUNS])
    scenery.recompute(ground)
    again = scenery.recomputed_windows(ground)
    scenery.recompute(ground)
    unchanged = scenery.recomputed_windows(ground) == again
    invariants = {
        "a second recompute changes nothing": unchanged,
        "certify: as loaded once and in order": scenery.is_certified(ground, arrivals),
    }
    return judged(ground, stage.log, scenery.site_of, invariants)
