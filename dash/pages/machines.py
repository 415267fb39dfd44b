"""Machines: how each sounds; and one machine over its life, with the verdicts, what changed, and what the model was given."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dash.data import machines
from dash.data.machines import Machine, MachineNow
from dash.pages import charts
from dash.pages.page import Asking, Missing, Page
from dash.pages.ranges import ranges
from dash.pages.tasks import sound
from dash.pages.times import lately
from presentation.wording import listed

DAYS = 30


def _overview(asking: Asking) -> dict[str, Any]:
    now = asking.now
    judged = sorted(machines.overview(asking.questions, now), key=lambda machine: (-_rank(machine, now), machine.name))
    return {
        "machines": [
            (machine, _verdict(machine, now), sound(machine, now), _STATES[_rank(machine, now)], _heard(machine, now)) for machine in judged
        ]
    }


_STATES = {2: "now", 1: "soon", 0: "well", -1: "look"}


def _rank(machine: MachineNow, now: datetime) -> int:
    """Returns 2 for the worst of its labels, 1 between, 0 for the best, -1 where it was not judged, or too long ago for the best."""
    if machine.label not in machine.labels or (machine.is_best and machine.is_old(now)):
        return -1
    place = machine.labels.index(machine.label)
    return 2 if place and place == len(machine.labels) - 1 else min(place, 1)


def _verdict(machine: MachineNow, now: datetime) -> str:
    if (rank := _rank(machine, now)) >= 0:
        return ("Sounds as always", "Look at it soon", "Stop it and look")[rank]
    if machine.label is None:
        return "Not judged"
    return "Not known now" if machine.is_old(now) else f"Judged {machine.label}"


def _heard(machine: MachineNow, now: datetime) -> str:
    return f"last judged {lately(machine.judged_time, now)}" if machine.judged_time else "never judged"


def _machine(asking: Asking) -> dict[str, Any]:
    span = asking.span(DAYS)
    machine = machines.read(asking.questions, asking.place["device_id"], span)
    if machine is None:
        raise Missing("There is no machine of this name that you may see.")
    at = span.end
    return {
        "machine": machine,
        "verdict": _verdict(machine.now, at),
        "sound": sound(machine.now, at),
        "heard": _heard(machine.now, at),
        "ranges": ranges(asking, span, DAYS, machine.now.time_zone),
        "score_chart": charts.scores(machine, span, _score_words(machine)) if machine.scores else "",
        "band_chart": charts.bands(machine.bands, _band_words(machine)) if machine.bands else "",
        "export": f"/export/machine/{machine.now.device_id}.csv",
    }


def _score_words(machine: Machine) -> str:
    first, last = machine.scores[0].mean, machine.scores[-1].mean
    return f"How far {machine.now.name} sounds from normal: {first:.1f} at first, {last:.1f} at the end"


def _band_words(machine: Machine) -> str:
    known = [(band.name, band.before, band.now) for band in machine.bands if band.before is not None and band.now is not None]
    most = sorted(known, key=lambda band: -abs(band[2] - band[1]))[:3]
    changed = listed([f"{name} from {before:.1f} to {now:.1f}" for name, before, now in most])
    return f"What the model of {machine.now.name} is given; most changed {changed or 'is not known'}"


OVERVIEW = Page("/machines", "Machines", "machines.html.j2", _overview)
MACHINE = Page("/machines/{device_id}", "", "machine.html.j2", _machine)
