"""Plays a farm minute by minute: sensors, two gateways that lose power, broker, uplink and clock, and a pipeline that sleeps.

It makes the reports that the pipeline would see, in the order in which it would see them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from pipeline.alerts.gateway_report import GatewayReport, Heartbeat
from schemas.envelope import micros
from tests.pipeline.alerts.silence.engine import Engine
from tests.pipeline.bodies import NOW

Span = tuple[int, int]
"""First minute, and the minute after the last."""

SPAN = 240
CALM = 60
"""After SPAN everything works for so long."""


@dataclass(frozen=True)
class Sensor:
    name: str
    period: int
    phase: int
    heard_by: frozenset[str]
    dead: tuple[Span, ...]
    shadow: tuple[Span, ...] = ()
    """While in it, the last of several gateways hears it alone."""

    def is_heard(self, minute: int, gateway: str) -> bool:
        in_shadow = within(self.shadow, minute) and gateway != max(self.heard_by)
        return gateway in self.heard_by and self.speaks(minute) and not in_shadow

    def speaks(self, minute: int) -> bool:
        return minute % self.period == self.phase % self.period and not within(self.dead, minute)


@dataclass(frozen=True)
class Site:
    """Is one gateway's fate. A clock that jumped at a minute is so many minutes off from then on."""

    name: str
    without_power: tuple[Span, ...] = ()
    without_broker: tuple[Span, ...] = ()
    without_uplink: tuple[Span, ...] = ()
    jumps: tuple[tuple[int, int], ...] = ()
    says_listening: bool = True
    newest_first: bool = True
    per_minute: int = 1000
    """How many batches the uplink takes in a minute."""

    def off_by(self, minute: int) -> int:
        return next((off for at, off in sorted(self.jumps, reverse=True) if at <= minute), 0)


@dataclass(frozen=True)
class World:
    sensors: tuple[Sensor, ...]
    sites: tuple[Site, ...]
    asleep: tuple[Span, ...]
    seed: int


@dataclass
class Gateway:
    """Is a gateway's state: what it heard and did not cut, what it cut and did not send."""

    site: Site
    started: int | None = None
    listening: int | None = None
    seq: int = 0
    journal: dict[str, int] = field(default_factory=dict)
    outbox: list[tuple[int, GatewayReport]] = field(default_factory=list)

    def minute(self, minute: int, sensors: tuple[Sensor, ...]) -> None:
        if within(self.site.without_power, minute):
            self.started = self.listening = None
            return
        if self.started is None:
            self.started = minute
        online, jumped = not within(self.site.without_broker, minute), any(at == minute for at, _ in self.site.jumps)
        self.listening = None if not online else minute if self.listening is None or jumped else self.listening
        self._cut(minute)
        for sensor in sensors if online else ():
            if sensor.is_heard(minute, self.site.name):
                self.journal[sensor.name] = minute

    def send(self, minute: int) -> Iterator[GatewayReport]:
        if self.started is None or within(self.site.without_uplink, minute):
            return
        if self.site.newest_first:
            sent, self.outbox = self.outbox[: -self.site.per_minute - 1 : -1], self.outbox[: -self.site.per_minute]
        else:
            sent, self.outbox = self.outbox[: self.site.per_minute], self.outbox[self.site.per_minute :]
        for _, report in sent:
            yield replace(report, received=true_time(minute) + 30_000_000)

    def _cut(self, minute: int) -> None:
        if self.journal:
            heard = {name: (self._clock(at), "north") for name, at in self.journal.items()}
            self._put(minute, heard, None)
            self.journal = {}
        pending = min((self._clock(cut) for cut, _ in self.outbox if cut < minute), default=None)
        assert self.started is not None
        heartbeat = Heartbeat(
            time=self._clock(minute),
            started=self._clock(self.started),
            broker_online=self.listening is not None,
            oldest_pending=pending,
            listening_since=self._clock(self.listening) if self.site.says_listening and self.listening is not None else None,
        )
        self._put(minute, {}, heartbeat)

    def _put(self, minute: int, devices: dict[str, tuple[int, str]], heartbeat: Heartbeat | None) -> None:
        self.seq += 1
        report = GatewayReport(gateway_id=self.site.name, received=0, epoch=7, seq=self.seq, devices=devices, heartbeat=heartbeat)
        self.outbox.append((minute, report))

    def _clock(self, minute: int) -> int:
        """Returns what the gateway's clock showed then."""
        return true_time(minute + self.site.off_by(minute))


def play(world: World, engine: Engine) -> set[tuple[str, int]]:
    """Feeds the engine. What comes twice, or in another order, is chosen by the world's seed. Returns when each gateway was behind."""
    chance, gateways, queue = random.Random(world.seed), [Gateway(site) for site in world.sites], list[GatewayReport]()
    behind = set[tuple[str, int]]()
    for minute in range(SPAN + CALM):
        for gateway in gateways:
            gateway.minute(minute, world.sensors)
            queue += gateway.send(minute)
            behind |= {(gateway.site.name, minute)} if gateway.outbox else set()
        if within(world.asleep, minute):
            continue
        engine.wait(NOW + timedelta(minutes=minute, seconds=30), asleep=within(world.asleep, minute - 1))
        chance.shuffle(queue)
        for report in [*queue, *chance.sample(queue, len(queue) // 4)]:
            engine.report("gateways", report.gateway_id, report)
        queue = []
    return behind


def within(spans: tuple[Span, ...], minute: int) -> bool:
    return any(first <= minute < end for first, end in spans)


def true_time(minute: int) -> int:
    return micros(NOW) + minute * 60_000_000
