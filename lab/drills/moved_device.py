"""A probe moves to another field, and somebody writes it into the registry while the pipeline runs on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lab.drills import engine, scenery
from lab.drills.drill import Ground, Outcome, judged
from lab.drills.scenery import BEGIN, NORTH, REGISTRY, SOUTH, TEN_MINUTES, probe
from lab.drills.stage import moments
from schemas.registry import Registry

NAME = "moved-device"
STORY = "A probe is carried to another field while the pipeline runs: each reading counts where the probe stood when it was taken."

_MOVED, _END = BEGIN + timedelta(hours=6), BEGIN + timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class EditedRegistry:
    """Gives the registry as somebody edited it at a time of the drill, without a start of the pipeline."""

    before: Registry
    after: Registry
    edited: datetime

    def current(self) -> Registry:
        return self.after if engine.simulated_clock() >= self.edited else self.before


def run(ground: Ground) -> Outcome:
    stage = scenery.stage(ground, probe(1, NORTH), probe(2, NORTH), probe(3, SOUTH))
    stage.power_on(BEGIN)
    arrivals = stage.play(BEGIN, _END, TEN_MINUTES) + stage.finish(_END)
    before = Registry.load(REGISTRY)
    scenery.stream(ground, moments(arrivals, timedelta(minutes=20)), EditedRegistry(before, _moved(before), _MOVED))
    scenery.recompute(ground)
    return judged(ground, stage.log, _site_of, {})


def _moved(registry: Registry) -> Registry:
    """Returns the registry in which soil-01 stands on the south field from then on."""
    placed = [device for device in registry.devices if device.device_id == "soil-01"]
    moved = [replace(placed[0], valid_to=_MOVED), replace(placed[0], site_id="south-field", valid_from=_MOVED)]
    return replace(registry, devices=(*(device for device in registry.devices if device not in placed), *moved))


def _site_of(device_id: str, time: datetime) -> str:
    return "south-field" if device_id == "soil-01" and time >= _MOVED else scenery.SITES[device_id]
