"""What a broker kept while the gateway was away came at a time that nobody knows: a reading without a time of its own says so.

Real broker, real gateway process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edge.intake.backlog import _FIRST_SECONDS
from edge.store.store import Store
from edge.window import unpack
from lab.services.broker import Broker
from lab.witness.tap import Tap
from lab.witness.tcp_proxy import TcpProxy
from tests.edge.gateway_process import NEEDS_MOSQUITTO, acknowledged, gateway, log_of, write_settings
from tests.edge.mqtt_publisher import Publisher
from tests.waiting import eventually

pytestmark = NEEDS_MOSQUITTO


def marks(directory: Path) -> dict[int | None, bool]:
    """Says of each reading in the store, by its number, whether it may be old."""
    with closing(Store(directory / "state" / "store.db", "gw-1", 512 << 20)) as store:
        return {reading.seq: reading.may_be_old for _, _, body in store.replay() for reading in unpack(body).readings}


@contextmanager
def running(directory: Path) -> Iterator[None]:
    """Runs a gateway, which stores what comes before it is stopped."""
    with gateway(directory) as child:
        yield
        assert child.stop() == 0, log_of(directory)


def test_what_was_queued_while_the_gateway_was_away_is_marked_and_what_comes_later_is_not(tmp_path: Path) -> None:
    tap = Tap()
    with Broker(tmp_path / "broker") as broker, TcpProxy(("127.0.0.1", broker.port), tap.connection) as proxy:
        write_settings(tmp_path, proxy.port)
        settings = tmp_path / "gateway.toml"
        settings.write_text(settings.read_text().replace("[windows]\nseconds = 1", "[windows]\nseconds = 3600"))
        publisher = Publisher(broker.port, has_clock=False)

        def is_stored() -> bool:
            return publisher.sent in acknowledged(tap)

        def is_heard() -> bool:
            publisher.send(1)  # before the gateway has subscribed nobody takes it
            return is_stored()

        with running(tmp_path):
            assert eventually(is_heard, 60.0), log_of(tmp_path)
            assert eventually(is_stored, 60.0), log_of(tmp_path)
        fresh = set(acknowledged(tap))
        publisher.send(4)
        with running(tmp_path):
            assert eventually(is_stored, 60.0), log_of(tmp_path)
            queued = acknowledged(tap) - fresh
            time.sleep(2 * _FIRST_SECONDS)  # what comes sooner is taken for a part of what waited
            publisher.send(2)
            assert eventually(is_stored, 60.0), log_of(tmp_path)
        publisher.stop()
    assert len(queued) == 4
    assert marks(tmp_path) == {seq: seq in queued for seq in acknowledged(tap)}
