"""R16 with the real thing: the clock of a gateway process is wrong from its start, and readings are stored as their sensor dates them."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import pytest

from edge.store.store import Store
from lab.services.broker import Broker
from tests.edge.gateway_process import NEEDS_MOSQUITTO, gateway, log_of, write_settings
from tests.edge.gateways import rows, stored_readings
from tests.edge.mqtt_publisher import Publisher
from tests.waiting import eventually

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
READINGS = 50
pytestmark = [NEEDS_MOSQUITTO, pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed (apt install libfaketime)")]


def faked(offset: str) -> dict[str, str]:
    """The environment of a process whose wall clock is off by so much, and whose steady clock is not."""
    return {"LD_PRELOAD": str(LIBRARY), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@pytest.mark.parametrize("offset", ["-3d", "-10y"])
def test_a_gateway_whose_clock_is_behind_stores_what_its_sensors_rightly_date(tmp_path: Path, offset: str) -> None:
    with Broker(tmp_path / "broker") as broker:
        write_settings(tmp_path, broker.port)
        with gateway(tmp_path, environment=faked(offset)) as child:
            assert eventually(lambda: "is online" in log_of(tmp_path)), log_of(tmp_path)
            began, publisher = time.time(), Publisher(broker.port)
            publisher.send(READINGS)
            publisher.stop()
            time.sleep(5)
            assert child.stop() == 0, log_of(tmp_path)
            assert time.strftime("it is %Y-%m-%d", time.gmtime(began)) not in log_of(tmp_path), "its clock was right"
    with closing(Store(tmp_path / "state" / "store.db", "gw-1", 512 << 20)) as store:
        stored, summaries, rejects = stored_readings(store), rows(store, "summaries"), rows(store, "rejects")
    assert rejects == []
    assert dict(stored) == {("d1", seq): 1 for seq in range(1, READINGS + 1)}
    assert all(abs(row["window_start"].timestamp() - began) < 60 for row in summaries)
