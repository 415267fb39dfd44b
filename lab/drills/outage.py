"""A gateway has no uplink for three days: everything arrives afterwards, and people are told what still matters and nothing else."""

from __future__ import annotations

from datetime import timedelta

from lab.drills import scenery
from lab.drills.drill import Ground, Outcome, judged
from lab.drills.scenery import BEGIN, NORTH, SOUTH, TEN_MINUTES, probe, weather
from lab.drills.stage import Incident, moments

NAME = "outage"
STORY = "Three days without an uplink: nothing is lost, a frost that lasts is told at the return, one that is over is not."

_CUT, _BACK = BEGIN + timedelta(hours=6), BEGIN + timedelta(days=3, hours=6)
_PASSED = BEGIN + timedelta(days=2, hours=2), BEGIN + timedelta(days=2, hours=6)
_LASTING = BEGIN + timedelta(days=3, hours=1), BEGIN + timedelta(days=9)
_FROZEN = {"soil-01", "soil-02"}
_SILENCE_DUE = _CUT + timedelta(seconds=3630)
_END = _BACK + timedelta(hours=6)


def run(ground: Ground) -> Outcome:
    lasting, passed = probe(1, NORTH, values=weather(1, [_LASTING])), probe(2, NORTH, values=weather(2, [_PASSED]))
    stage = scenery.stage(ground, lasting, passed, probe(3, SOUTH))
    north = stage.gateways[NORTH]

    def set_uplink(*, up: bool) -> None:
        north.uplink = up

    stage.power_on(BEGIN)
    incidents = [Incident(_CUT, lambda: set_uplink(up=False)), Incident(_BACK, lambda: set_uplink(up=True))]
    arrivals = stage.play(BEGIN, _END, TEN_MINUTES, incidents) + stage.finish(_END)
    told = scenery.stream(ground, moments(arrivals, timedelta(hours=3), [(_BACK, _BACK + timedelta(hours=1))], [_SILENCE_DUE]))
    scenery.recompute(ground)
    frosts = [alert for alert in told if alert.rule == "frost"]
    return judged(
        ground,
        stage.log,
        scenery.site_of,
        {
            "a frost that lasts is notified once": [alert.subject for alert in frosts] == ["soil-01"],
            "it is notified within half an hour of the return": all(alert.as_of <= _BACK + timedelta(minutes=40) for alert in frosts),
            "a frost that was over is an alert of history": {row["subject"] for row in scenery.alerts_of(ground, "frost")} == _FROZEN,
            "no probe is called silent": not scenery.alerts_of(ground, "sensor-silent"),
            "certify: as loaded once and in order": scenery.is_certified(ground, arrivals),
            "the gateway is called silent once": _states(ground, "gateway-silent") == ["opened", "resolved"],
        },
    )


def _states(ground: Ground, rule: str) -> list[object]:
    return [row["state"] for row in scenery.alerts_of(ground, rule)]
