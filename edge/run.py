"""Runs the gateway: puts broker, HTTP, core, store, uplink and health together, and turns until it is to stop.

Acknowledges a message after the core has it on disk, never before. When the store is full it stops acknowledging, logs an error, and goes
on as soon as there is room. To stop, it leaves the broker, cuts what is closed, gives the uplink a bounded time, and ends.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from random import Random
from typing import Protocol

from edge import clock
from edge.config import Config
from edge.gateway import Gateway, Links
from edge.health import Health, HealthStatus, HttpTraffic
from edge.intake import tls
from edge.intake.client import Incoming, Intake
from edge.intake.http.intake import HttpIntake
from edge.intake.own_certificate import OwnCertificate, state_of
from edge.models.bundles import sound_bundles_of
from edge.models.running import close_all
from edge.models.slot import Slot
from edge.releases.loading import Place, open_slot, places_of
from edge.releases.swaps import Swaps
from edge.releases.updates import ModelUpdates
from edge.renewal import Renewal
from edge.store.rescue import finish, rescue
from edge.store.section import Section
from edge.store.store import TABLES, DiskFault, Store, StoreDamaged, StoreError, StoreFull
from edge.store_opening import open_store
from edge.timekeeper import Timekeeper
from edge.uplink import allowance as allowances
from edge.uplink.allowance import Allowance, DayBytes
from edge.uplink.attestor import Attests, attesting
from edge.uplink.signer import signing
from edge.uplink.worker import UplinkWorker
from program import logs, service_manager
from program.backoff import Backoff
from schemas.envelope import micros
from schemas.records import LinkState

TICK_SECONDS, REST_SECONDS = 0.2, 1.0
"""Between two ticks at least, and at most: a gateway with nothing to do is still for so long."""
REPORT_SECONDS = 1.0
FULL_SECONDS = 0.5
UPLINK_SECONDS = 10.0
_REOPEN = Backoff(max_interval=60.0)
_OF_THE_DISK = {errno.EIO, errno.ENOSPC, errno.EDQUOT}

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
        self.certificate = OwnCertificate(None)
        """The gateway's own, whose end is reported."""
        self.http: HttpIntake | None = None
        """Puts messages where the source takes them from; its state is reported."""
        self.swaps: Swaps | None = None

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
        """Gives the core the state of its links, and the health server the gateway's state; tells that the loop turns."""
        service_manager.alive()
        now, end = self.now(), self.certificate.end()
        self._gateway.links = Links(self._uplink.state, state_of(self._source.state, end, now), end)
        if self._health:
            http = HttpTraffic(self.http.connections, self.http.answers) if self.http else None
            self._health.report(HealthStatus(self._gateway.heartbeat(now), self.full, self._uplink.day, http))

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


def run(config: Config, stopping: threading.Event, make: Callable[..., Store] = Store) -> None:
    """Runs until `stopping` is set. Raises ConfigError, UplinkError, FormError, StoreError, OSError before anything runs.

    A disk that fails or is full, and a store that fails later, are waited for: everything is put together again from its file, as after a
    crash. A damaged one is set aside, and what can be read of it goes on in a new one.
    """
    pauses = _REOPEN.delays(Random())
    has_run = threading.Event()
    while not stopping.is_set():
        try:
            _run_once(config, stopping, make, has_run)
        except StoreDamaged as damage:
            _set_aside(config, damage)
            stopping.wait(next(pauses))
        except (StoreError, OSError) as fault:
            if not (has_run.is_set() and isinstance(fault, StoreError)) and not _may_pass(fault):
                raise
            pause = next(pauses)
            _log.error("the store fails; nothing is acknowledged, and the gateway starts anew from it in %.1f s: %s", pause, fault)
            stopping.wait(pause)


def _may_pass(fault: StoreError | OSError) -> bool:
    """Says whether it is the disk's fault, not one of the settings, which waiting does not mend."""
    return isinstance(fault, DiskFault | StoreFull) or (isinstance(fault, OSError) and fault.errno in _OF_THE_DISK)


def _set_aside(config: Config, damage: StoreDamaged) -> None:
    try:
        _log.error("%s: %s", damage, rescue(config.store_file, config.store.max_bytes, TABLES))
    except StoreError as fault:
        # A full disk, perhaps: what is damaged stays as it is, and the next start tries again.
        _log.error("%s: nothing is acknowledged until it can be set aside: %s", damage, fault)


def _run_once(config: Config, stopping: threading.Event, make: Callable[..., Store], has_run: threading.Event) -> None:
    bundles, faults = sound_bundles_of(config)
    for name, fault in faults.items():
        _note_unusable(name, fault)
    context = tls.context(config.mqtt)
    with ExitStack() as stack:
        sign = signing(config.signing_keys)
        publisher = config.uplink.open()
        stack.callback(publisher.close)
        finish(config.store_file)
        store = open_store(config, make)
        stack.callback(store.close)
        # Readings matter more than verdicts: without its models a gateway still stores and sends.
        places = places_of(config, bundles)
        slots = {place.name: open_slot(config, place, _note_unusable) for place in places}
        stack.callback(close_all, slots)
        timekeeper = Timekeeper(store.section, clock.read())
        started = timekeeper.note(clock.read()).time
        attestor = attesting(config.signing_keys)
        gateway = Gateway(config, store, started, slots=slots, clock=timekeeper.section, attestor=attestor)
        swaps = _swaps(config, slots, places, gateway, stack)
        health = Health(config.health.host, config.health.port, plain=config.mqtt.is_plain) if config.health.port else None
        if health:
            stack.callback(health.stop)
        allowance = Allowance(config.uplink.limits, config.uplink.wire, store.section(allowances.SECTION), clock.now)
        uplink = UplinkWorker(store, publisher, backoff=config.uplink.retry, allowance=allowance, sign=sign, attestor=attestor)
        uplink.start()
        stack.callback(uplink.stop, UPLINK_SECONDS)
        has_run.set()
        intake = Intake(config.mqtt, config.gateway.id, context, config.subscriptions)
        loop = Loop(gateway, intake, uplink, health, stopping, timekeeper=timekeeper)
        loop.swaps = swaps
        loop.certificate = OwnCertificate(config.mqtt.tls_certificate)
        renewal = Renewal(config, clock.now, Random())
        stack.callback(renewal.stop)
        renewal.start()
        if config.http.port:
            loop.http = HttpIntake(config, intake.waiting, lambda: loop.full)
            stack.callback(loop.http.stop)
            loop.http.start()
        _turn(loop, gateway, intake, uplink, attestor)


def _swaps(config: Config, slots: dict[str, Slot], places: list[Place], gateway: Gateway, stack: ExitStack) -> Swaps:
    running = {name: slot.in_force.bundle.release for name, slot in slots.items()}
    updates = ModelUpdates(config, places, running, _note_unusable, Random())
    swaps = Swaps(slots, places, updates, config.windows.seconds, gateway.models_changed)
    stack.callback(updates.stop)
    updates.start()
    return swaps


def _turn(loop: Loop, gateway: Gateway, intake: Intake, uplink: UplinkWorker, attestor: Attests) -> None:
    loop.report()
    intake.start()
    _log.info("gateway runs")
    service_manager.ready()
    try:
        loop.run()
    finally:
        service_manager.stopping()
        if loop.http:
            loop.http.stop()
        intake.stop()
    attestor.attest()
    try:
        gateway.flush(loop.now())
    except StoreFull as full:
        _log.error("the last batches are not cut, their readings stay in the journal: %s", full)
    uplink.wake()
    _log.info("gateway stops")


def _note_unusable(model: str, fault: Exception) -> None:
    _log.error("the model %s does not run; readings are taken all the same (`tinybeam edge doctor` says what to do): %s", model, fault)
