"""From the sensors' messages to who is silent: a gateway that dies without power, on its own store, and the pipeline's memories of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from google.cloud import bigquery

from derive.rows import append
from edge.gateway import Gateway, Links
from edge.store.store import Store
from pipeline.assign_sites import group_rows
from pipeline.decode import decode
from pipeline.elements import DecodedBatches, ReceivedMessage
from pipeline.enrich import Sites, enrich
from schemas.envelope import from_micros
from schemas.notification import parse
from schemas.records import Alert, Device, LinkState
from schemas.registry import FixedRegistry
from schemas.rules.silence import SilenceRule
from schemas.warehouse import ALL_TIME
from tests.edge.gateways import START, config, message
from tests.pipeline.alerts import test_outage_flow as outages
from tests.pipeline.alerts.silence.engine import Engine
from tests.pipeline.bodies import ALWAYS, REGISTRY

SENSORS = [f"d{number}" for number in range(1, 7)]
FARM = replace(REGISTRY, devices=tuple(Device(name, "soil", "north", ALWAYS, None) for name in SENSORS))
RULE = SilenceRule(name="silent", silent_seconds=600)
TICK = timedelta(seconds=10)


class Box:
    """A gateway with its store. Without power nothing of it runs, and what it had in memory is gone."""

    def __init__(self, directory: Path) -> None:
        self.config = config(directory, windows={"seconds": 60, "grace_seconds": 5}, batches={"seconds": 60})
        self.store = Store(self.config.store_file, "gw-1", 64 << 20)
        self.gateway: Gateway | None = None

    def tick(self, now: datetime, broker: LinkState, heard: list[str]) -> Iterator[ReceivedMessage]:
        """Stores what is heard, ticks, and sends everything that waits."""
        if self.gateway is None:
            self.gateway = Gateway(self.config, self.store, now)
        self.gateway.links = Links(LinkState.ONLINE, broker)
        readings = [message(name, {"values": {"moisture": 0.3}}) for name in heard if broker == LinkState.ONLINE]
        self.gateway.accept(readings, now)
        self.gateway.tick(now)
        for number, waiting in enumerate(list(self.store.batches(0, 1000))):
            self.store.confirm([waiting.envelope.seq])
            yield ReceivedMessage(waiting.envelope.attributes(), waiting.body, now + timedelta(seconds=1, milliseconds=number))

    def lose_power(self) -> None:
        self.gateway = None


def messages(directory: Path, minutes: int, off: range, deaf: range, dead: str = "") -> Iterator[ReceivedMessage]:
    """What the box sends in so many minutes; `dead` says nothing any more after the tenth."""
    box = Box(directory)
    for tick in range(minutes * 6):
        now, minute = START + tick * TICK, tick // 6
        if minute in off:
            box.lose_power()
            continue
        broker = LinkState.OFFLINE if minute in deaf else LinkState.ONLINE
        heard = [name for name in SENSORS if tick % 6 == 3 and not (name == dead and minute > 10)]
        yield from box.tick(now, broker, heard)


def course(directory: Path, minutes: int, off: range, deaf: range, dead: str = "") -> list[tuple[str, str, float]]:
    """What the silence source says of these messages."""
    engine = Engine((RULE,), FARM)
    for received in messages(directory, minutes, off, deaf, dead):
        row_group = enrich(group_rows([DecodedBatches.of(decode(received))]), Sites(FARM))[0]
        engine.hear(row_group, received.received_time + timedelta(seconds=1))
    said = [(str(each.state), each.subject, (from_micros(each.at) - START) / timedelta(minutes=1)) for each in engine.observed]
    return [each for each in said if each[2] > 1]


@pytest.mark.parametrize("off", [range(15, 45), range(15, 26), range(15, 16)])
def test_a_power_cut_makes_nobody_silent(tmp_path: Path, off: range) -> None:
    """Half an hour without power made six sensors silent, and resolved six alerts."""
    assert course(tmp_path, 70, off, range(0)) == []


def test_a_sensor_that_died_before_the_power_cut_is_found_its_time_after_the_return(tmp_path: Path) -> None:
    ((state, subject, minute),) = course(tmp_path, 70, range(15, 45), range(0), dead="d3")
    assert (state, subject) == ("silent", "d3")
    assert 55 <= minute <= 56


def test_a_lost_broker_is_one_incident(tmp_path: Path) -> None:
    said = course(tmp_path, 70, range(0), range(15, 40))
    assert [each[:2] for each in said] == [("silent", "gw-1/devices"), ("alive", "gw-1/devices")]


def test_a_lost_broker_is_one_open_alert_that_names_it_and_is_over_when_it_is_back(tmp_path: Path, emptied: bigquery.Client) -> None:
    """Through the whole flow, to what people are sent and what the warehouse shows."""
    rules = RULE, SilenceRule(name="gateway-silent", subject="gateway", silent_seconds=600)
    sink = outages.run("lost-broker", list(messages(tmp_path, 70, range(0), range(15, 40))), FixedRegistry(replace(FARM, rules=rules)))
    alerts = [Alert(**row) for row in sink.table("alerts_v1")]
    assert [(each.subject, each.state) for each in alerts] == [("gw-1/devices", "opened"), ("gw-1/devices", "resolved")]
    assert [parse(each.body).alert_id for each in outages.NOTIFIED] == [alerts[0].alert_id] * 2
    assert "its broker is offline since" in alerts[0].message
    assert "its broker is online again" in alerts[1].message
    for alert, still_open in zip(alerts, (True, False), strict=True):
        append(emptied, Alert, [alert])
        [row] = emptied.query_and_wait(f"select subject, open, told from tinybeam.alerts_between({ALL_TIME})")
        assert tuple(row.values()) == ("gw-1/devices", still_open, True)
