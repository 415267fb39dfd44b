"""Runs the gateway: puts broker, HTTP, core, store, uplink, models and health together, and turns until it is to stop.

To stop, it leaves the broker, cuts what is closed, gives the uplink a bounded time, and ends.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from contextlib import ExitStack
from random import Random

from edge import clock
from edge.config import Config
from edge.gateway import Gateway
from edge.health import Health
from edge.intake import tls
from edge.intake.client import Intake
from edge.intake.http.intake import HttpIntake
from edge.loop import Loop
from edge.models.bundles import sound_bundles_of
from edge.models.running import close_all
from edge.models.slot import Slot
from edge.own_certificate import OwnCertificate
from edge.page.page import Page
from edge.releases.loading import Place, open_slot, places_of
from edge.releases.swaps import Swaps
from edge.releases.updates import ModelUpdates
from edge.renewal import Renewal
from edge.store.rescue import finish, rescue
from edge.store.store import TABLES, DiskFault, Store, StoreDamaged, StoreError, StoreFull
from edge.store_opening import open_store
from edge.timekeeper import Timekeeper
from edge.uplink import allowance as allowances
from edge.uplink import attestor as attestors
from edge.uplink.allowance import Allowance
from edge.uplink.attestor import Attests, attesting
from edge.uplink.signer import signing
from edge.uplink.worker import UplinkWorker
from program import logs, service_manager
from program.backoff import Backoff

UPLINK_SECONDS = 10.0
_REOPEN = Backoff(max_interval=60.0)
_OF_THE_DISK = {errno.EIO, errno.ENOSPC, errno.EDQUOT}

_log = logs.get(__name__)


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
        attestor = attesting(config.signing_keys, store.section(attestors.SECTION))
        page = _page(config, stack)
        watcher = page.recent if page else None
        gateway = Gateway(config, store, started, slots=slots, clock=timekeeper.section, attestor=attestor, watcher=watcher)
        swaps = _swaps(config, slots, places, gateway, stack)
        health = Health(config.health.host, config.health.port, plain=config.mqtt.is_plain) if config.health.port else None
        if health:
            stack.enter_context(health.running())
        allowance = Allowance(config.uplink.limits, config.uplink.wire, store.section(allowances.SECTION), clock.now)
        uplink = UplinkWorker(store, publisher, backoff=config.uplink.retry, allowance=allowance, sign=sign, attestor=attestor)
        uplink.start()
        stack.callback(uplink.stop, UPLINK_SECONDS)
        has_run.set()
        intake = Intake(config.mqtt, config.gateway.id, context, config.subscriptions)
        loop = Loop(gateway, intake, uplink, health, stopping, timekeeper=timekeeper)
        loop.swaps, loop.page = swaps, page
        loop.certificate = OwnCertificate("mqtt.tls_certificate", config.mqtt.tls_certificate)
        renewal = Renewal(config, clock.now, Random())
        stack.callback(renewal.stop)
        renewal.start()
        if config.http.port:
            loop.http = HttpIntake(config, intake.waiting, lambda: loop.full)
            stack.callback(loop.http.stop)
            loop.http.start()
        _turn(loop, gateway, intake, uplink, attestor)


def _page(config: Config, stack: ExitStack) -> Page | None:
    """Opens the gateway's page, if it has one: until the first report it says that the gateway starts."""
    if not config.page.port:
        return None
    page = Page(config, clock.now)
    stack.callback(page.stop)
    page.start()
    return page


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
