"""A gateway's clock jumps: an hour back, a day ahead, to 1970; the probes' clocks are right. Nothing is lost, nothing waits for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lab.drills import scenery
from lab.drills.drill import Ground, Outcome, judged
from lab.drills.scenery import BEGIN, NORTH, SOUTH, TEN_MINUTES, probe
from lab.drills.stage import moments
from schemas.warehouse import ALL_TIME

NAME = "clock-jump"
STORY = (
    "A gateway's clock jumps an hour back, a day ahead and to 1970, each for an hour: no reading is lost, and the next ones are in time."
)

_END = BEGIN + timedelta(hours=12)
_HOUR = timedelta(hours=1)
_JUMPS = (
    (BEGIN + 2 * _HOUR, -_HOUR),
    (BEGIN + 5 * _HOUR, timedelta(days=1)),
    (BEGIN + 8 * _HOUR, datetime(1970, 1, 1, tzinfo=UTC) - BEGIN),
)

_OF_CLOCKS = {"time_future", "time_out_of_range", "time_unset"}


def run(ground: Ground) -> Outcome:
    stage = scenery.stage(ground, probe(1, NORTH), probe(2, NORTH), probe(3, SOUTH))
    stage.gateways[NORTH].clock = _jumping
    stage.power_on(BEGIN)
    arrivals = stage.play(BEGIN, _END, TEN_MINUTES) + stage.finish(_END)
    told = scenery.stream(ground, moments(arrivals, timedelta(minutes=30)))
    scenery.recompute(ground)
    reasons = {row.reason for row in ground.client.query_and_wait(f"select reason from tinybeam.rejects_between({ALL_TIME})")}
    invariants = {"nobody is told of anything": not told, "what was set aside says that a clock is wrong": reasons <= _OF_CLOCKS}
    return judged(ground, stage.log, scenery.site_of, invariants)


def _jumping(now: datetime) -> datetime:
    """Returns what the gateway's clock shows."""
    return next((now + jump for begin, jump in _JUMPS if begin <= now < begin + _HOUR), now)
