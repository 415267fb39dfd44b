"""A probe falls silent behind a gateway that lives: it is told once, and resolved when the probe speaks again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from lab.drills import scenery
from lab.drills.drill import Ground, Outcome, judged
from lab.drills.scenery import BEGIN, NORTH, TEN_MINUTES, probe, weather
from lab.drills.stage import gathered

NAME = "silent-sensor"
STORY = "One of two probes says nothing for eight hours while its gateway lives: that one is told once and resolved once, the other never."

_SILENT, _BACK = BEGIN + timedelta(hours=4), BEGIN + timedelta(hours=12)
_END = BEGIN + timedelta(hours=16)


def run(ground: Ground) -> Outcome:
    stage = scenery.stage(ground, probe(1, NORTH, values=_broken_for_a_while), probe(2, NORTH))
    stage.power_on(BEGIN)
    arrivals = stage.play(BEGIN, _END, TEN_MINUTES) + stage.finish(_END)
    told = [alert for alert in scenery.stream(ground, gathered(arrivals, timedelta(minutes=30))) if alert.rule == "sensor-silent"]
    scenery.recompute(ground)
    return judged(
        ground,
        stage.log,
        scenery.site_of,
        {
            "the silent probe is told once, and resolved": [(alert.subject, alert.state) for alert in told]
            == [("soil-01", "opened"), ("soil-01", "resolved")],
            "it is told within an hour after its time": all(alert.as_of < _SILENT + timedelta(hours=3, minutes=10) for alert in told[:1]),
        },
        lengths=(3600,),
    )


def _broken_for_a_while(time: datetime) -> Mapping[str, float] | None:
    return None if _SILENT <= time < _BACK else weather(1)(time)
