"""The demo: a season of history, then real time with a kill and an outage in it, then the analysts' answers and the oracle's verdict.

Latency is that of batches whose way from the newest reading to the warehouse met no fault; the screen tells that of the others too.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from edge import tflite
from lab import evidence, history
from lab import field as fields
from lab.account import Account
from lab.analyst import answers, prepare
from lab.faults import Deed, Spell, deeds, spells
from lab.folder import emptied
from lab.gateways import LIVE, ledger
from lab.latency import Arrival, Watch, percentile
from lab.live import Live
from lab.oracle import Verdict
from lab.screen import Screen
from lab.sensors import Notebook, Sensors, sensor, stranger
from lab.stack import StartFailed, Warehouse
from schemas.registry import Registry

HISTORY_DAYS = 120
DAYS_A_SECOND = 0.125
PERIOD_SECONDS = 0.1
DRAIN_SECONDS = 60.0
READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Summary:
    """The content of summary.json."""

    readings_acknowledged: int
    rows: dict[str, int]
    lost: int
    repeated: int
    bytes_raw_mqtt: int
    bytes_uplink: int
    latency_ms: dict[str, float]
    seconds: float
    parts: dict[str, str]


@dataclass(frozen=True, slots=True)
class Lived:
    """What act two leaves behind."""

    arrivals: Sequence[Arrival]
    spells: Sequence[Spell]
    bytes_raw_mqtt: int
    bytes_uplink: int
    parts: dict[str, str]


def run(directory: Path, parts: str, seconds: float, screen: Screen) -> bool:
    """The whole demo; logs and summary.json are in `directory`. Whether nothing was lost or repeated. Raises StartFailed."""
    with Warehouse(emptied(directory)) as warehouse:
        screen.title("Act one: a season of ten fields, from the gateways' cards in batch mode")
        past = act_one(directory, warehouse, screen)
        screen.title("Act two: real time, with a kill and an outage")
        with Live(directory, warehouse, parts, past.registry) as live:
            lived = _act_two(past, live, seconds, screen)
            verdict = past.account.verdict()
        for question, table in answers(past.account.client):
            screen.title(question)
            screen.show(table)
        return _conclude(directory, past.account, lived, verdict, screen)


@dataclass(frozen=True, slots=True)
class Past:
    """What act one leaves behind: the fields, the oracle's books, where the season stands, and the registry that knows when it began."""

    fields: tuple[fields.Field, ...]
    account: Account
    calendar: history.Calendar
    registry: Path


def act_one(directory: Path, warehouse: Warehouse, screen: Screen) -> Past:
    """Raises StartFailed when the pipeline fails."""
    calendar = history.Calendar.until(datetime.now(UTC), HISTORY_DAYS)
    file = fields.write_registry(directory, calendar.begin)
    registry = Registry.load(file)
    client = evidence.connect(warehouse)
    screen.say(f"warehouse: {warehouse.version} at {warehouse.rest_url}")
    prepare(client, registry, screen.status)
    screen.status("simulating the fields with the crop-water model")
    grown = fields.fields(registry)
    account = Account(client, calendar.begin)
    cards = []
    for written, names in history.live_through(grown, calendar, directory, screen.status):
        cards += written
        account.add(names, names)
    size = sum(card.bytes for card in cards)
    screen.say(f"{len(account.attempted)} readings of {calendar.hours // 24} days are {len(cards)} card files of {size / 1e6:.1f} MB")
    screen.status("loading the cards with the pipeline in batch mode")
    history.load(directory / "cards", warehouse, directory / "batch.log", file)
    screen.say(_words("history", account.verdict()))
    return Past(grown, account, calendar, file)


def _act_two(past: Past, live: Live, seconds: float, screen: Screen) -> Lived:
    _announce(live, screen)
    notebook, began = Notebook(), datetime.now(UTC)
    _await_first_heartbeats(past.account, began, screen)
    with Watch(lambda: evidence.newest_readings(past.account.client, began)) as watch:
        with sensors(past, live, notebook) as running:
            screen.say(
                f"{len(past.fields) + 1} sensors publish every {PERIOD_SECONDS:g} s; a day of the season takes {1 / DAYS_A_SECOND:g} s"
            )
            done = _pass_time(deeds(live, seconds), seconds, live, screen)
            running.stop()
        screen.say("the sensors stop; what is under way arrives")
        # The window that the first reading falls into began before it.
        now = Account(past.account.client, began - timedelta(seconds=LIVE.window_seconds))
        _note(live, notebook, now)
        now.await_everything(DRAIN_SECONDS, lambda verdict: screen.status(_under_way(verdict)))
        arrivals = watch.arrivals()
    for gateway_id, status in live.stop_gateways().items():
        books = ledger(live.gateways[gateway_id].settings)
        told = f"{books.confirmed} batches confirmed, {books.pending} pending, {books.dropped} dropped"
        screen.say(f"{gateway_id} is told to stop and ends with status {status}: {told}")
    _note(live, notebook, past.account)
    return Lived(arrivals, spells(done), live.bytes_raw_mqtt, live.uplink.bytes_sent, _parts(live))


def _note(live: Live, notebook: Notebook, account: Account) -> None:
    account.add(notebook.attempted(), notebook.names(live.acknowledged()))


def sensors(past: Past, live: Live, notebook: Notebook) -> Sensors:
    """Those of the fields, where the history ended, and one that nobody registered."""
    known = [sensor(one, past.calendar.hours, past.calendar.day(past.calendar.hours - 1), DAYS_A_SECOND) for one in past.fields]
    return Sensors([*known, stranger(fields.GATEWAYS[0])], live.broker.port, PERIOD_SECONDS, notebook)


def _announce(live: Live, screen: Screen) -> None:
    for server, wanted in ((live.broker, "mosquitto"), (live.pubsub, "Google's Pub/Sub emulator")):
        screen.say(f"{server.version}" + (f" (from pip) takes the place of {wanted}" if server.replaced else ""))


def _await_first_heartbeats(account: Account, began: datetime, screen: Screen) -> None:
    """Until the whole path has been gone once. Raises StartFailed."""
    deadline = time.monotonic() + READY_SECONDS
    while evidence.gateways_heard(account.client, began) < len(fields.GATEWAYS):
        screen.status("waiting for the gateways' first heartbeats in the warehouse")
        if time.monotonic() > deadline:
            raise StartFailed(f"no heartbeat of each gateway reached the warehouse within {READY_SECONDS:.0f} s: the logs tell why")
        time.sleep(0.3)


def _pass_time(planned: Sequence[Deed], seconds: float, live: Live, screen: Screen) -> list[tuple[datetime, Deed]]:
    began, waiting, done = time.monotonic(), list(planned), list[tuple[datetime, Deed]]()
    while (passed := time.monotonic() - began) < seconds:
        if waiting and passed >= waiting[0].seconds:
            deed = waiting.pop(0)
            done.append((datetime.now(UTC), deed))
            screen.say(deed.text)
            deed.do()
        if live.pipeline.status is not None:
            raise StartFailed(live.pipeline.obituary(f"ended with status {live.pipeline.status}"))
        told = f"{len(live.acknowledged())} messages acknowledged, {live.uplink.bytes_sent} bytes sent up"
        screen.status(f"{seconds - passed:3.0f} s to go; {told}")
        time.sleep(0.2)
    return done


def _conclude(directory: Path, account: Account, lived: Lived, verdict: Verdict, screen: Screen) -> bool:
    calm = [arrival.milliseconds for arrival in lived.arrivals if not any(spell.met(arrival) for spell in lived.spells)]
    every = [arrival.milliseconds for arrival in lived.arrivals]
    summary = Summary(
        readings_acknowledged=account.readings_acknowledged,
        rows=evidence.row_counts(account.client),
        lost=len(verdict.lost),
        repeated=verdict.repeated,
        bytes_raw_mqtt=lived.bytes_raw_mqtt,
        bytes_uplink=lived.bytes_uplink,
        latency_ms={"p50": round(percentile(calm, 0.5)), "p99": round(percentile(calm, 0.99))},
        seconds=round(screen.seconds, 1),
        parts=lived.parts,
    )
    file = directory / "summary.json"
    file.write_text(json.dumps(asdict(summary), indent=2) + "\n")
    screen.title("The oracle's verdict")
    screen.show(_words("both acts", verdict))
    latency = summary.latency_ms
    screen.show(f"latency from the newest reading of a batch to its row: p50 {latency['p50']} ms, p99 {latency['p99']} ms")
    screen.show(f"  with the batches that met a fault: p99 {percentile(every, 0.99):.0f} ms, longest {max(every):.0f} ms")
    screen.show(f"bytes: {summary.bytes_raw_mqtt} by MQTT to the gateways, {summary.bytes_uplink} up to Pub/Sub")
    screen.show(f"{summary.seconds} s; {file}")
    return verdict.sound


def _words(what: str, verdict: Verdict) -> str:
    return (
        f"{what}: attempted {verdict.attempted}, acknowledged {verdict.acknowledged}, delivered {verdict.delivered}, "
        f"lost {len(verdict.lost)}, repeated {verdict.repeated}, unexpected {len(verdict.unexpected)}"
    )


def _under_way(verdict: Verdict) -> str:
    return f"{verdict.acknowledged} acknowledged; {len(verdict.lost)} of them are not in the warehouse yet"


def _parts(live: Live) -> dict[str, str]:
    return {
        "broker": live.broker.version,
        "pubsub": live.pubsub.version,
        "warehouse": live.warehouse.version,
        "runtime": tflite.load().name,
        "beam": version("apache-beam"),
        "python": platform.python_version(),
    }
