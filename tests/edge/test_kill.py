"""R1: what the gateway acknowledged survives kill -9 at any instant, once. Real broker, real gateway process, observed from outside."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from edge.store.store import Store
from lab.services.broker import Broker
from lab.services.child import Child
from lab.witness.tap import Tap
from lab.witness.tcp_proxy import TcpProxy
from tests import long_form
from tests.edge.gateway_process import NEEDS_MOSQUITTO, acknowledged, gateway, log_of, write_settings
from tests.edge.gateways import stored_readings
from tests.edge.mqtt_publisher import Publisher
from tests.waiting import eventually

KILLS, CONTROL_KILLS = long_form.number(20, 1000), 3
SEED = 20260501
HASTY = (str(Path(__file__).with_name("hasty_gateway.py")),)
pytestmark = NEEDS_MOSQUITTO


def killed(directory: Path, kills: int, start: Callable[[Path], Child] = gateway) -> tuple[set[int], Counter[int]]:
    """Kills a gateway so often; returns the numbers that were acknowledged, and how often its store holds each."""
    rng, tap = random.Random(SEED), Tap()
    with Broker(directory / "broker") as broker, TcpProxy(("127.0.0.1", broker.port), tap.connection) as proxy:
        write_settings(directory, proxy.port)
        with start(directory) as first:
            assert eventually(lambda: "broker" in log_of(directory) and "is online" in log_of(directory)), log_of(directory)
            first.kill()
        publisher = Publisher(broker.port)
        for kill in range(1, kills + 1):
            long_form.progress(kill, kills)
            before, connections = len(acknowledged(tap)), proxy.connections
            with start(directory) as child:
                publisher.send(50)
                # Some kills come while it starts, most while it stores and acknowledges, some while it cuts.
                if kill % 5:
                    assert eventually(lambda at=connections: proxy.connections > at), log_of(directory)  # type: ignore[misc]
                    publisher.send(rng.randint(1, 300))
                if kill % 2:
                    assert eventually(lambda at=before: len(acknowledged(tap)) > at), log_of(directory)  # type: ignore[misc]
                time.sleep(rng.uniform(0, 0.3))
                child.kill()
        publisher.stop()
        starts = log_of(directory).count("gateway runs")
        with start(directory) as last:
            assert eventually(lambda: log_of(directory).count("gateway runs") > starts), log_of(directory)
            everything = set(range(1, publisher.sent + 1))
            assert eventually(lambda: acknowledged(tap) == everything), f"seed {SEED}: {log_of(directory)}"
            assert last.stop() == 0, log_of(directory)
    with closing(Store(directory / "state" / "store.db", "gw-1", 512 << 20)) as store:
        stored = stored_readings(store)
    return everything, Counter({seq: count for (_, seq), count in stored.items()})


def test_no_kill_loses_or_doubles_an_acknowledged_reading(tmp_path: Path) -> None:
    everything, stored = killed(tmp_path, KILLS)
    assert stored == dict.fromkeys(everything, 1), f"seed {SEED}"
    long_form.note("R1", measured=f"{KILLS:,} kills, {len(everything):,} readings acknowledged, 0 lost, 0 doubled", seed=SEED)


def test_a_gateway_that_acknowledges_before_it_commits_does_lose(tmp_path: Path) -> None:
    everything, stored = killed(tmp_path, CONTROL_KILLS, lambda directory: gateway(directory, HASTY))
    lost = everything - stored.keys()
    assert lost, "this test cannot see a loss"
    long_form.note("R1", control=f"{CONTROL_KILLS} kills of a gateway that acknowledges before it commits lose {len(lost):,} readings")
