"""Plays a scene: probes speak, gateways hear, work and upload, and what a drill does to them happens at its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from lab.drills.gateway import SimulatedGateway
from lab.drills.probes import Probe, RawLog
from pipeline.elements import ReceivedMessage

SOON = timedelta(seconds=150)

Arrivals = list[tuple[datetime, list[ReceivedMessage]]]
"""What reached Pub/Sub, moment by moment."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Is something that a drill does at a time."""

    time: datetime
    happens: Callable[[], None]


@dataclass(slots=True)
class Stage:
    """Plays from one time to another: `arrivals = stage.play(begin, end, timedelta(minutes=10), incidents)`."""

    gateways: dict[str, SimulatedGateway]
    probes: Sequence[Probe]
    log: RawLog = field(default_factory=RawLog)
    progress: Callable[[datetime], None] = lambda _: None

    def play(self, begin: datetime, end: datetime, step: timedelta, incidents: Sequence[Incident] = ()) -> Arrivals:
        """Returns what arrived at the end of each step. An incident happens at the begin of the step that it falls into."""
        arrivals: Arrivals = []
        now = begin
        while now < end:
            for incident in incidents:
                if now <= incident.time < now + step:
                    incident.happens()
            self._measure(now, now + step)
            now += step
            arrivals.append((now, self._work(now)))
            self.progress(now)
        return arrivals

    def power_on(self, now: datetime) -> None:
        for gateway in self.gateways.values():
            gateway.power_on(now)

    def finish(self, now: datetime) -> Arrivals:
        """Ends the scene as a clean stop does, once the last windows are over: everything is cut and uploaded."""
        end = now + max(gateway.closes_after for gateway in self.gateways.values())
        for gateway in self.gateways.values():
            gateway.flush(end)
        arrivals = [(end, self._uploads(end))]
        for gateway in self.gateways.values():
            gateway.power_off()
        return arrivals

    def _measure(self, begin: datetime, end: datetime) -> None:
        """Lets each gateway hear what the probes say in this time, in the order of time."""
        spoken = [(probe, raw) for probe in self.probes for raw in probe.between(begin, end)]
        spoken.sort(key=lambda pair: pair[1].time)
        self.log.attempt([raw for _, raw in spoken])
        for name, gateway in self.gateways.items():
            heard = [(probe, raw) for probe, raw in spoken if name in probe.gateways]
            if gateway.hear([probe.message(name, raw) for probe, raw in heard], end):
                self.log.acknowledge([raw for _, raw in heard])

    def _work(self, now: datetime) -> list[ReceivedMessage]:
        for gateway in self.gateways.values():
            gateway.tick(now)
        return self._uploads(now)

    def _uploads(self, now: datetime) -> list[ReceivedMessage]:
        return [message for gateway in self.gateways.values() for message in gateway.upload(now)]


def messages(arrivals: Arrivals) -> list[ReceivedMessage]:
    """Returns everything that arrived, in its order."""
    return [message for _, arrived in arrivals for message in arrived]


def moments(
    arrivals: Arrivals, quiet: timedelta, close: Sequence[tuple[datetime, datetime]] = (), exact: Sequence[datetime] = ()
) -> Arrivals:
    """Gathers what arrives into moments, since each costs the simulated engine a quarter of a second.

    Within the times `close` every moment stays and has one after it, when what waits a little is due; elsewhere those within `quiet` become
    one, as of its end. At the `exact` times there is a moment of their own, though nothing may arrive.
    """
    near = [now for now, _ in arrivals if _within(now, close)]
    single = {*near, *(now + SOON for now in near), *exact}
    fewer: Arrivals = []
    begin = datetime.min.replace(tzinfo=UTC)
    for now, arrived in sorted([*arrivals, *((time, list[ReceivedMessage]()) for time in single - {*near})], key=lambda moment: moment[0]):
        if now - begin >= quiet or now in single or fewer[-1][0] in single:
            begin = now
            fewer.append((now, list(arrived)))
        else:
            fewer[-1] = (now, fewer[-1][1] + arrived)
    return fewer


def _within(now: datetime, spans: Sequence[tuple[datetime, datetime]]) -> bool:
    return any(begin <= now <= end for begin, end in spans)
