"""The demo: a season of history, then real time with a kill and an outage in it, then the analysts' answers and the oracle's verdict."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from edge.models import tflite
from lab.acts import history
from lab.acts.faults import Deed, deeds, spells
from lab.acts.gateways import GATEWAYS, LIVE, ledger
from lab.acts.live import Live
from lab.acts.reconciliation import Reconciliation
from lab.acts.run_record import Counts, Happening, RunRecord
from lab.analyst import answers, prepare
from lab.console import Console
from lab.folder import emptied
from lab.report.results import conclude, under_way, words
from lab.services.stack import StartFailed, Warehouse
from lab.services.webhook_receiver import Ringing, Told
from lab.witness import delivered
from lab.witness.latency import Arrival, Watch
from lab.witness.oracle import Verdict
from lab.world import field as fields
from lab.world.device import Device, devices
from lab.world.sensors import Notebook, Sensors, sensor, stranger
from schemas.registry import Registry

HISTORY_DAYS = 120
DAYS_A_SECOND = 0.125
PERIOD_SECONDS = 0.1
DRAIN_SECONDS = 120.0
READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Lived:
    """What act two leaves behind. `began` and `ended`: when its sensors did."""

    began: datetime
    ended: datetime
    arrivals: Sequence[Arrival]
    done: Sequence[tuple[datetime, Deed]]
    bytes_raw_mqtt: int
    bytes_uplink: int
    parts: dict[str, str]
    told: tuple[Told, ...]


def run(directory: Path, parts: str, seconds: float, screen: Console) -> bool:
    """The whole demo; logs, summary.json and report.html are in `directory`. Whether nothing was lost or repeated. Raises StartFailed."""
    with Warehouse(emptied(directory)) as warehouse:
        screen.title("Act one: a season of ten fields and four machines, from the gateways' cards in batch mode")
        past = act_one(directory, warehouse, screen)
        screen.title("Act two: real time, with a kill and an outage")
        with Live(directory, warehouse, parts, past.registry) as live:
            lived = _act_two(past, live, seconds, screen)
            both = Counts.of(past.account.verdict())
        for question, table in answers(past.account.client):
            screen.title(question)
            screen.show(table)
        story = _story(past, lived, both, screen.seconds)
        return conclude(directory, past.account.client, story, past.account.readings_acknowledged, screen)


@dataclass(frozen=True, slots=True)
class Past:
    """What act one leaves behind: the sensors, the oracle's books and verdict, where the season stands, and the registry that knows it."""

    devices: tuple[Device, ...]
    account: Reconciliation
    counts: Counts
    calendar: history.Calendar
    registry: Path


def act_one(directory: Path, warehouse: Warehouse, screen: Console) -> Past:
    """Raises StartFailed when the pipeline fails."""
    calendar = history.Calendar.until(datetime.now(UTC), HISTORY_DAYS)
    file = fields.write_registry(directory, calendar.begin)
    registry = Registry.load(file)
    client = delivered.connect(warehouse)
    screen.say(f"warehouse: {warehouse.version} at {warehouse.rest_url}")
    prepare(client, registry, screen.status)
    screen.status("simulating the fields with the crop-water model, and the machines")
    grown = devices(registry)
    account = Reconciliation(client, calendar.begin)
    cards = []
    for written, names in history.live_through(grown, calendar, directory, screen.status):
        cards += written
        account.add(names, names)
    size = sum(card.bytes for card in cards)
    screen.say(f"{len(account.attempted)} readings of {calendar.hours // 24} days are {len(cards)} card files of {size / 1e6:.1f} MB")
    screen.status("loading the cards with the pipeline in batch mode")
    history.load(directory / "cards", warehouse, directory / "batch.log", file)
    counts = Counts.of(account.verdict())
    screen.say(words("history", counts))
    return Past(grown, account, counts, calendar, file)


def _act_two(past: Past, live: Live, seconds: float, screen: Console) -> Lived:
    _announce(live, screen)
    notebook, began, ringing = Notebook(), datetime.now(UTC), Ringing(live.phone, screen)
    await_first_heartbeats(past.account, began, screen)
    with Watch(lambda: delivered.newest_readings(past.account.client, began)) as watch:
        with sensors(past, live, notebook) as running:
            started = datetime.now(UTC)
            pace = f"up to every {PERIOD_SECONDS:g} s; a day of the season takes {1 / DAYS_A_SECOND:g} s"
            screen.say(f"{len(past.devices) + 1} sensors publish {pace}")
            done = _pass_time(seconds, live, ringing, screen)
            running.stop()
            ended = datetime.now(UTC)
        screen.say("the sensors stop; what is under way arrives")
        # The window that the first reading falls into began before it.
        now = Reconciliation(past.account.client, began - timedelta(seconds=LIVE.window_seconds))
        _note(live, notebook, now)

        def progress(verdict: Verdict) -> None:
            ringing.say()
            screen.status(under_way(verdict))

        now.await_everything(DRAIN_SECONDS, progress)
        ringing.say()
        arrivals = watch.arrivals()
    for gateway_id, status in live.stop_gateways().items():
        books = ledger(live.gateways[gateway_id].settings)
        told = f"{books.confirmed} batches confirmed, {books.pending} pending, {books.dropped} dropped"
        screen.say(f"{gateway_id} is told to stop and ends with status {status}: {told}")
    _note(live, notebook, past.account)
    return Lived(started, ended, arrivals, done, live.bytes_raw_mqtt, live.uplink.bytes_sent, _parts(live), live.phone.told())


def _story(past: Past, lived: Lived, both: Counts, seconds: float) -> RunRecord:
    return RunRecord(
        history=past.counts,
        both=both,
        season_begin=past.calendar.begin,
        began=lived.began,
        ended=lived.ended,
        happenings=tuple(Happening(time, deed.text, deed.fault) for time, deed in lived.done),
        spells=tuple(spells(lived.done)),
        arrivals=tuple(lived.arrivals),
        bytes_raw_mqtt=lived.bytes_raw_mqtt,
        bytes_uplink=lived.bytes_uplink,
        rows=delivered.row_counts(past.account.client),
        parts=lived.parts,
        seconds=seconds,
        told=lived.told,
    )


def _note(live: Live, notebook: Notebook, account: Reconciliation) -> None:
    account.add(notebook.attempted(), notebook.names(live.acknowledged()))


def sensors(past: Past, live: Live, notebook: Notebook) -> Sensors:
    """Those of the fields, where the history ended, and one that nobody registered."""
    day = past.calendar.day(past.calendar.hours - 1)
    known = [sensor(one, history.last_seq(one, past.calendar), day, DAYS_A_SECOND) for one in past.devices]
    return Sensors([*known, stranger(fields.GATEWAYS[0])], live.broker.port, PERIOD_SECONDS, notebook)


def _announce(live: Live, screen: Console) -> None:
    for server, wanted in ((live.broker, "mosquitto"), (live.pubsub, "Google's Pub/Sub emulator")):
        screen.say(f"{server.version}" + (f" (from pip) takes the place of {wanted}" if server.replaced else ""))


def await_first_heartbeats(account: Reconciliation, began: datetime, screen: Console) -> None:
    """Until the whole path has been gone once. Raises StartFailed."""
    deadline = time.monotonic() + READY_SECONDS
    while delivered.gateways_heard(account.client, began) < len(GATEWAYS):
        screen.status("waiting for the gateways' first heartbeats in the warehouse")
        if time.monotonic() > deadline:
            raise StartFailed(f"no heartbeat of each gateway reached the warehouse within {READY_SECONDS:.0f} s: the logs tell why")
        time.sleep(0.3)


def _pass_time(seconds: float, live: Live, ringing: Ringing, screen: Console) -> list[tuple[datetime, Deed]]:
    """Until the time is over and everything that was planned is done. Raises StartFailed when pipeline or notifier ends."""
    began, waiting, done, earliest = time.monotonic(), deeds(live, seconds), list[tuple[datetime, Deed]](), 0.0
    while (passed := time.monotonic() - began) < seconds or waiting:
        if waiting and passed >= max(waiting[0].seconds, earliest):
            deed = waiting.pop(0)
            done.append((datetime.now(UTC), deed))
            screen.say(deed.text)
            deed.do()
            earliest = time.monotonic() - began + (waiting[0].gap if waiting else 0.0)
        for child in (live.pipeline, live.notifier):
            if child.status is not None:
                raise StartFailed(child.obituary(f"ended with status {child.status}"))
        ringing.say()
        told = f"{len(live.acknowledged())} messages acknowledged, {live.uplink.bytes_sent} bytes sent up"
        screen.status(f"{max(0.0, seconds - passed):3.0f} s to go; {told}")
        time.sleep(0.2)
    return done


def _parts(live: Live) -> dict[str, str]:
    return {
        "broker": live.broker.version,
        "pubsub": live.pubsub.version,
        "warehouse": live.warehouse.version,
        "runtime": tflite.load().name,
        "beam": version("apache-beam"),
        "python": platform.python_version(),
    }
