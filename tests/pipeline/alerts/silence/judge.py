"""Judges what was said of silence by what really happened in the world: knows when each sensor spoke, nothing of gateways' reports."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.alerts.observation import Observation
from tests.pipeline.alerts.silence.engine import Engine, minutes_of
from tests.pipeline.alerts.silence.world import CALM, SPAN, Sensor, Site, World, true_time, within

SILENCE = 10
BOUND = 2 * SILENCE + 6
"""Minutes within which a silence is found if nothing is disturbed: its time, the wait for the others, cutting, sending, a pause."""
CUT = 2
"""Minutes after which a reading is cut and delivered, if nothing is disturbed: one that came then does not end a silence yet."""
END = SPAN + CALM


def false_silences(world: World, engine: Engine) -> list[str]:
    """Returns what was called silent though it spoke."""
    slack = 3 if any(site.jumps for site in world.sites) else 0  # minutes by which a silence is dated wrongly for a clock that jumped
    silent = [each for each in engine.observed if each.state == "silent"]
    return [each.text for each in silent if _spoke(world, each, minutes_of(each) - SILENCE + slack, minutes_of(each) - slack - CUT)]


def untold(world: World, engine: Engine, behind: set[tuple[str, int]]) -> list[tuple[str, int]]:
    """Returns the sensors that were dead, heard before and undisturbed for BOUND, without an open alert at its end."""
    return [
        (sensor.name, minute)
        for sensor in world.sensors
        for minute in range(BOUND, END)
        if any(_hears(site, sensor, each) for site in world.sites for each in range(minute - BOUND))
        and not any(map(sensor.speaks, range(minute - BOUND, minute)))
        and not any(
            _disturbed(world, sensor, each) or behind & {(name, each) for name in sensor.heard_by} for each in range(minute - BOUND, minute)
        )
        and not {sensor.name, *(f"{name}/devices" for name in sensor.heard_by)} & opened(engine, minute)
    ]


def opened(engine: Engine, minute: int = END) -> set[str]:
    """Returns the subjects that are silent by what was said before a minute."""
    known = [each for each, now in zip(engine.observed, engine.observed_at, strict=True) if now < true_time(minute)]
    last = {each.subject: each.state for each in sorted(known, key=lambda each: each.at)}
    return {subject for subject, state in last.items() if state == "silent"}


def times_said(engine: Engine, sensor: Sensor) -> int:
    return sum(each.state == "silent" and each.subject == sensor.name for each in engine.observed)


def _spoke(world: World, said: Observation, first: float, last: float) -> bool:
    """Tells whether the sensor spoke after `first` until `last`; of all of a gateway, whether it heard one of them."""
    return any(first < minute <= last for minute in _heard(world, said))


def _heard(world: World, said: Observation) -> Iterator[int]:
    gateway = said.subject.removesuffix("/devices")
    for sensor in world.sensors:
        if sensor.name == gateway:
            yield from filter(sensor.speaks, range(END))
    for site in world.sites:
        if site.name == gateway:
            yield from (minute for minute in range(END) if any(_hears(site, sensor, minute) for sensor in world.sensors))


def _hears(site: Site, sensor: Sensor, minute: int) -> bool:
    return sensor.is_heard(minute, site.name) and not within((*site.without_power, *site.without_broker), minute)


def _disturbed(world: World, sensor: Sensor, minute: int) -> bool:
    """Tells whether anything happens then to those who might hear it, or one of their sensors comes back."""
    sites = [site for site in world.sites if site.name in sensor.heard_by]
    back = any(end == minute for other in world.sensors if other.heard_by & sensor.heard_by for _, end in other.dead)
    faults = [span for site in sites for span in (*site.without_power, *site.without_broker, *site.without_uplink)]
    return back or within((*faults, *world.asleep), minute) or any(at == minute for site in sites for at, _ in site.jumps)
