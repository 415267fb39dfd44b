"""Turns the gateway: takes from the source, stores, acknowledges, ticks, swaps models, and tells of its health.

Acknowledges a message after the core has it on disk, never before. When the store is full it stops acknowledging, logs an error, and goes
on as soon as there is room.
"""

from __future__ import annotations

import threading
import time
from datetime import datetime
from typing import Protocol

from edge import clock
from edge.gateway import Gateway, Links
from edge.health import Health, HealthStatus, HttpTraffic
from edge.intake.client import Incoming
from edge.intake.http.intake import HttpIntake
from edge.own_certificate import OwnCertificate, state_of
from edge.page.page import Page
from edge.releases.swaps import Swaps
from edge.store.section import Section
from edge.store.store import StoreFull
from edge.timekeeper import Timekeeper
from edge.uplink.allowance import DayBytes
from program import logs, service_manager
from schemas.envelope import micros
from schemas.records import LinkState

TICK_SECONDS, REST_SECONDS = 0.2, 1.0
"""Between two ticks at least, and at most: a gateway with nothing to do is still for so long."""
REPORT_SECONDS = 1.0
FULL_SECONDS = 0.5

_log = logs.get(__name__)


class MessageSource(Protocol):
    """Hands messages over and acknowledges them: what the loop needs of edge.intake.client.Intake."""

    @property
    def state(self) -> LinkState: ...
    def take(self, seconds: float) -> list[Incoming]: ...
    def acknowledge(self, incoming: list[Incoming]) -> None: ...


class UplinkHandle(Protocol):
    """Shows the state of the uplink and wakes it: what the loop needs of edge.uplink.worker.UplinkWorker."""

    @property
    def state(self) -> LinkState: ...
    @property
    def day(self) -> DayBytes | None: ...
    def wake(self) -> None: ...


class Loop:
    """Drives the core: takes from the source, stores, acknowledges, ticks, and wakes the uplink for new batches.

    Usage: `loop.run()`, until `stopping` is set.
    """

    def __init__(  # noqa: PLR0913 - made in one place
        self,
        gateway: Gateway,
        source: MessageSource,
        uplink: UplinkHandle,
        health: Health | None,
        stopping: threading.Event,
        *,
        timekeeper: Timekeeper | None = None,
    ) -> None:
        """Without a timekeeper one keeps the time that remembers nothing."""
        self._timekeeper = timekeeper or Timekeeper(Section, clock.read())
        self._gateway, self._source, self._uplink, self._health, self._stopping = gateway, source, uplink, health, stopping
        self._next_tick = self._next_report = 0.0
        self.full = False
        self.certificate = OwnCertificate("mqtt.tls_certificate", None)
        """The gateway's own, whose end is reported."""
        self.http: HttpIntake | None = None
        """Puts messages where the source takes them from; its state is reported."""
        self.swaps: Swaps | None = None
        self.page: Page | None = None

    def run(self) -> None:
        while not self._stopping.is_set():
            self.turn()

    def turn(self) -> None:
        """Takes one micro-batch from the broker to the store and back, and does whatever is due."""
        incoming = self._source.take(min(max(TICK_SECONDS, self._gateway.seconds_to_close(self.now())), REST_SECONDS))
        if incoming:
            if not self._store(incoming):
                return
            self._source.acknowledge(incoming)
        if self._tick():
            self._note_room()

    def _store(self, incoming: list[Incoming]) -> bool:
        """Stores all of it; False if the process is to stop before there was room."""
        messages = [each.message for each in incoming]
        while not self._stopping.is_set():
            try:
                envelopes = self._gateway.accept(messages, self.now())
            except StoreFull as full:
                self._note_full(full)
                messages = []
                self._tick()
                self._stopping.wait(FULL_SECONDS)
                continue
            self._note_room()
            if envelopes:
                self._uplink.wake()
            return True
        return False

    def _tick(self) -> bool:
        """Does what is due; says whether there was room for it, as far as it is known."""
        now = time.monotonic()
        if now < self._next_tick:
            return False
        self._next_tick = now + TICK_SECONDS
        has_room = True
        if self.swaps:
            self.swaps.turn(micros(self.now()), now)
        try:
            if self._gateway.tick(self.now()):
                self._uplink.wake()
        except StoreFull as full:
            self._note_full(full)
            has_room = False
        if now >= self._next_report:
            self._next_report = now + REPORT_SECONDS
            self.report()
        return has_room

    def report(self) -> None:
        """Gives the core the state of its links, and health server and page the gateway's state; tells that the loop turns."""
        service_manager.alive()
        now, end = self.now(), self.certificate.end()
        self._gateway.links = Links(self._uplink.state, state_of(self._source.state, end, now), end)
        lookers = [each for each in (self._health, self.page) if each]
        if lookers:
            http = HttpTraffic(self.http.connections, self.http.answers) if self.http else None
            status = HealthStatus(self._gateway.heartbeat(now), self.full, self._uplink.day, http)
            for looker in lookers:
                looker.report(status)

    def now(self) -> datetime:
        """Returns the time, and lets the core follow the clock that it is by."""
        moment = self._timekeeper.note(clock.read(), self._gateway.sensors_offset)
        self._gateway.note_clock(moment)
        return moment.time

    def _note_full(self, full: StoreFull) -> None:
        if not self.full:
            _log.error("readings are not acknowledged until there is room again: %s", full)
        self.full = True

    def _note_room(self) -> None:
        if self.full:
            _log.info("there is room again; readings are acknowledged")
        self.full = False
