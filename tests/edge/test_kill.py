"""R1: what the gateway acknowledged survives kill -9 at any instant, once. Real broker, real gateway process, observed from outside."""

from __future__ import annotations

import random
import time
from pathlib import Path

from edge.store.store import Store
from lab.services.broker import Broker
from lab.witness.tap import Tap
from lab.witness.tcp_proxy import TcpProxy
from tests import long_form
from tests.edge.gateway_process import NEEDS_MOSQUITTO, acknowledged, gateway, log_of, write_settings
from tests.edge.gateways import stored_readings
from tests.edge.mqtt_publisher import Publisher
from tests.waiting import eventually

KILLS = long_form.number(20, 1000)
SEED = 20260501
pytestmark = NEEDS_MOSQUITTO


def test_no_kill_loses_or_doubles_an_acknowledged_reading(tmp_path: Path) -> None:
    rng, tap = random.Random(SEED), Tap()
    with Broker(tmp_path / "broker") as broker, TcpProxy(("127.0.0.1", broker.port), tap.connection) as proxy:
        write_settings(tmp_path, proxy.port)
        with gateway(tmp_path) as first:
            assert eventually(lambda: "broker" in log_of(tmp_path) and "is online" in log_of(tmp_path)), log_of(tmp_path)
            first.kill()
        publisher = Publisher(broker.port)
        for kill in range(KILLS):
            long_form.progress(kill, KILLS)
            before, connections = len(acknowledged(tap)), proxy.connections
            with gateway(tmp_path) as child:
                publisher.send(50)
                # Some kills come while it starts, most while it stores and acknowledges, some while it cuts.
                if kill % 5:
                    assert eventually(lambda at=connections: proxy.connections > at), log_of(tmp_path)  # type: ignore[misc]
                    publisher.send(rng.randint(1, 300))
                if kill % 2:
                    assert eventually(lambda at=before: len(acknowledged(tap)) > at), log_of(tmp_path)  # type: ignore[misc]
                time.sleep(rng.uniform(0, 0.3))
                child.kill()
        publisher.stop()
        starts = log_of(tmp_path).count("gateway runs")
        with gateway(tmp_path) as last:
            assert eventually(lambda: log_of(tmp_path).count("gateway runs") > starts), log_of(tmp_path)
            everything = set(range(1, publisher.sent + 1))
            assert eventually(lambda: acknowledged(tap) == everything), f"seed {SEED}: {log_of(tmp_path)}"
            assert last.stop() == 0, log_of(tmp_path)
    store = Store(tmp_path / "state" / "store.db", "gw-1", 512 << 20)
    stored = stored_readings(store)
    store.close()
    assert dict(stored) == {("d1", seq): 1 for seq in everything}, f"seed {SEED}"
    long_form.note("R1", measured=f"{KILLS:,} kills, {len(everything):,} readings acknowledged, 0 lost, 0 doubled", seed=SEED)
