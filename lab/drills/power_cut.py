"""A gateway is without power for longer than its probes may be silent: nobody heard them, so nobody missed them."""

from __future__ import annotations

from datetime import timedelta

from lab.drills import scenery
from lab.drills.drill import Ground, Outcome, judged
from lab.drills.scenery import BEGIN, NORTH, SOUTH, TEN_MINUTES, probe
from lab.drills.stage import Incident, moments

NAME = "power-cut"
STORY = "Four hours without power at a gateway: what it acknowledged before is there, and none of its probes is called silent."

_CUT, _BACK = BEGIN + timedelta(hours=2), BEGIN + timedelta(hours=6)
_SILENCE_DUE = _CUT + timedelta(seconds=3630)
_END = _BACK + timedelta(hours=3)


def run(ground: Ground) -> Outcome:
    stage = scenery.stage(ground, probe(1, NORTH), probe(2, NORTH), probe(3, SOUTH))
    north = stage.gateways[NORTH]
    stage.power_on(BEGIN)
    incidents = [Incident(_CUT, north.power_off), Incident(_BACK, lambda: north.power_on(_BACK))]
    arrivals = stage.play(BEGIN, _END, TEN_MINUTES, incidents) + stage.finish(_END)
    told = scenery.stream(ground, moments(arrivals, timedelta(minutes=30), [(_BACK, _END)], [_SILENCE_DUE]))
    scenery.recompute(ground)
    return judged(
        ground,
        stage.log,
        scenery.site_of,
        {
            "no probe is called silent": not scenery.alerts_of(ground, "sensor-silent"),
            "the gateway is told to be silent, and to be back": [alert.state for alert in told if alert.rule == "gateway-silent"]
            == ["opened", "resolved"],
        },
    )
