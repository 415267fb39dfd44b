"""A probe falls silent behind a gateway that lives: it is told once, and resolved when the probe speaks again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from lab.drills import scenery
from lab.drills.drill import Ground, Outcome, judged
from lab.drills.scenery import BEGIN, NORTH, TEN_MINUTES, probe, weather
from lab.drills.stage import moments

NAME = "silent-sensor"
STORY = "One of two probes says nothing for four hours while its gateway lives: that one is told once and resolved once, the other never."

_SILENT, _BACK = BEGIN + timedelta(hours=1), BEGIN + timedelta(hours=5)
_DUE = _SILENT + timedelta(hours=2)
_END = BEGIN + timedelta(hours=6)
_CLOSE = (_DUE - timedelta(minutes=20), _DUE + timedelta(minutes=40)), (_BACK, _END)


def run(ground: Ground) -> Outcome:
    stage = scenery.stage(ground, probe(1, NORTH, values=_broken_for_a_while), probe(2, NORTH))
    stage.power_on(BEGIN)
    arrivals = stage.play(BEGIN, _END, TEN_MINUTES) + stage.finish(_END)
    told = [alert for alert in scenery.stream(ground, moments(arrivals, timedelta(minutes=30), _CLOSE)) if alert.rule == "sensor-silent"]
    scenery.recompute(ground)
    return judged(
        ground,
        stage.log,
        scenery.site_of,
        {
            "the silent probe is told once, and resolved": [(alert.subject, alert.state) for alert in told]
            == [("soil-01", "opened"), ("soil-01", "resolved")],
            "it is told within a quarter of an hour": all(alert.as_of < _DUE + timedelta(minutes=15) for alert in told[:1]),
        },
    )


def _broken_for_a_while(time: datetime) -> Mapping[str, float] | None:
    return None if _SILENT <= time < _BACK else weather(1)(time)
