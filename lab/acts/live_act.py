"""Plays act two of the demo: sensors in real time, with a kill and an outage, until all that was acknowledged is in the warehouse."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from edge.models import tflite
from lab.acts.alert_announcer import AlertAnnouncer
from lab.acts.faults import PerformedAction, schedule
from lab.acts.gateways import GATEWAYS, LIVE, ledger
from lab.acts.history import last_seq
from lab.acts.history_act import HistoryResult
from lab.acts.live import LivePath
from lab.acts.reconciliation import Reconciliation
from lab.console import Console
from lab.services.stack import StartFailed
from lab.services.webhook_receiver import ReceivedAlert
from lab.witness import delivered
from lab.witness.latency import Arrival, ArrivalMonitor
from lab.witness.oracle import Verdict
from lab.world import field
from lab.world.sensors import AttemptLog, Sensors, sensor, unregistered_sensor

DAYS_A_SECOND = 0.125
PERIOD_SECONDS = 0.1
DRAIN_SECONDS = 120.0
READY_SECONDS = 60.0
_STEP = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveResult:
    """Holds what was measured in act two, whose sensors ran from `started` to `ended`."""

    started: datetime
    ended: datetime
    arrivals: Sequence[Arrival]
    actions: Sequence[PerformedAction]
    bytes_raw_mqtt: int
    bytes_uplink: int
    parts: dict[str, str]
    alerts: tuple[ReceivedAlert, ...]


def run(history: HistoryResult, path: LivePath, seconds: float, console: Console) -> LiveResult:
    """Runs the sensors for so many seconds and waits for what is under way. Raises StartFailed when a process ends by itself."""
    _log_servers(path, console)
    log, begin, announcer = AttemptLog(), datetime.now(UTC), AlertAnnouncer(path.webhook, console)
    await_first_heartbeats(history.reconciliation, begin, console)
    with ArrivalMonitor(lambda: delivered.newest_readings(history.reconciliation.client, begin)) as monitor:
        with sensors(history, path, log) as running:
            started = datetime.now(UTC)
            rhythm = f"up to every {PERIOD_SECONDS:g} s; a day of the season takes {1 / DAYS_A_SECOND:g} s"
            console.log(f"{len(history.devices) + 1} sensors publish {rhythm}")
            actions = _perform(seconds, path, announcer, console)
            running.stop()
            ended = datetime.now(UTC)
        console.log("the sensors stop; what is under way arrives")
        _drain(history, path, log, begin, announcer)
        arrivals = monitor.arrivals()
    _stop_gateways(path, console)
    _add_attempts(path, log, history.reconciliation)
    return _result(path, started, ended, arrivals, actions)


def sensors(history: HistoryResult, path: LivePath, log: AttemptLog) -> Sensors:
    """Returns the sensors of the fields and machines, from where the history ended, and one that nobody registered."""
    day = history.timeline.day(history.timeline.hours - 1)
    registered = [sensor(device, last_seq(device, history.timeline), day, DAYS_A_SECOND) for device in history.devices]
    return Sensors([*registered, unregistered_sensor(field.GATEWAYS[0])], path.broker.port, PERIOD_SECONDS, log, path.farm)


def await_first_heartbeats(reconciliation: Reconciliation, begin: datetime, console: Console) -> None:
    """Waits until the whole path has carried a heartbeat of each gateway. Raises StartFailed."""
    deadline = time.monotonic() + READY_SECONDS
    while delivered.gateways_with_heartbeat(reconciliation.client, begin) < len(GATEWAYS):
        console.status("waiting for the gateways' first heartbeats in the warehouse")
        if time.monotonic() > deadline:
            raise StartFailed(f"no heartbeat of each gateway reached the warehouse within {READY_SECONDS:.0f} s: the logs say why")
        time.sleep(0.3)


def _perform(seconds: float, path: LivePath, announcer: AlertAnnouncer, console: Console) -> list[PerformedAction]:
    """Runs what is scheduled, until it is done and the time is over. Raises StartFailed when pipeline or notifier ends."""
    begin, waiting, performed, earliest = time.monotonic(), schedule(path, seconds), list[PerformedAction](), 0.0
    while (passed := time.monotonic() - begin) < seconds or waiting:
        if waiting and passed >= max(waiting[0].seconds, earliest):
            action = waiting.pop(0)
            performed.append(PerformedAction(datetime.now(UTC), action.text, action.fault))
            console.log(action.text)
            action.run()
            earliest = time.monotonic() - begin + (waiting[0].gap if waiting else 0.0)
        path.check()
        announcer.announce()
        progress = f"{len(path.acknowledged())} messages acknowledged, {path.uplink.bytes_sent} bytes sent up"
        console.status(f"{max(0.0, seconds - passed):3.0f} s to go; {progress}")
        time.sleep(_STEP)
    return performed


def _drain(history: HistoryResult, path: LivePath, log: AttemptLog, begin: datetime, announcer: AlertAnnouncer) -> None:
    """Waits until what was acknowledged in act two is in the warehouse."""
    # The window that the first reading falls into began before it.
    reconciliation = Reconciliation(history.reconciliation.client, begin - timedelta(seconds=LIVE.window_seconds))
    _add_attempts(path, log, reconciliation)

    def progress(verdict: Verdict) -> None:
        announcer.announce()
        announcer.console.status(f"{verdict.acknowledged} acknowledged; {len(verdict.lost)} of them are not in the warehouse yet")

    reconciliation.wait_for_delivery(DRAIN_SECONDS, progress)
    announcer.announce()


def _stop_gateways(path: LivePath, console: Console) -> None:
    for gateway_id, status in path.stop_gateways().items():
        counts = ledger(path.gateways[gateway_id].settings)
        batches = f"{counts.confirmed} batches confirmed, {counts.pending} pending, {counts.dropped} dropped"
        console.log(f"{gateway_id} stopped with status {status}: {batches}")


def _add_attempts(path: LivePath, log: AttemptLog, reconciliation: Reconciliation) -> None:
    reconciliation.add(log.attempted(), log.keys(path.acknowledged()))


def _log_servers(path: LivePath, console: Console) -> None:
    for server, preferred in ((path.broker, "mosquitto"), (path.pubsub, "Google's Pub/Sub emulator")):
        console.log(f"{server.version}" + (f" (from pip) takes the place of {preferred}" if server.is_fallback else ""))


def _result(
    path: LivePath, started: datetime, ended: datetime, arrivals: Sequence[Arrival], actions: Sequence[PerformedAction]
) -> LiveResult:
    return LiveResult(
        started=started,
        ended=ended,
        arrivals=arrivals,
        actions=actions,
        bytes_raw_mqtt=path.bytes_raw_mqtt,
        bytes_uplink=path.uplink.bytes_sent,
        parts=_parts(path),
        alerts=path.webhook.alerts(),
    )


def _parts(path: LivePath) -> dict[str, str]:
    return {
        "broker": path.broker.version,
        "pubsub": path.pubsub.version,
        "warehouse": path.warehouse.version,
        "runtime": tflite.load().name,
        "beam": version("apache-beam"),
        "python": platform.python_version(),
    }
