"""A gateway whose broker takes nothing says why: its certificate, its clock, its rights or the way there. Real mosquitto."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from edge.finding import Status
from edge.store.store import OutboxBatch, Store
from edge.uplink.mqtt import MqttUplinkSettings
from edge.uplink.uplink import LinkDown
from edge.uplink.worker import UplinkWorker
from lab.services.child import free_port
from program.backoff import Backoff
from schemas.records import LinkState
from tests.edge.encoded import NOW, encoded
from tests.keys.brokers import FarmBroker, with_mosquitto
from tests.keys.farms import Farm, now
from tests.waiting import eventually

pytestmark = [with_mosquitto, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
QUICK = Backoff(initial_interval=0.05, max_interval=0.2)


@pytest.fixture
def farm(tmp_path: Path) -> Farm:
    return Farm(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store.db", "gw-1", 64 << 20)) as store:
        store.cut([encoded()], NOW)
        yield store


def uplink(farm: Farm, own: Path, port: int, trusted: Path | None = None) -> MqttUplinkSettings:
    files = {"tls_ca": trusted or farm.trusted, "tls_certificate": own, "tls_key": own}
    return MqttUplinkSettings(
        host="127.0.0.1", port=port, client_id="gw-1", retry=Backoff(initial_interval=0.05, max_interval=0.2), **files
    )


def down(settings: MqttUplinkSettings, store: Store) -> LinkDown:
    """Returns why the first batch that waits is not taken."""
    publisher = settings.open()
    try:
        error = publisher.publish(list[OutboxBatch](store.pending(1))).exception()
    finally:
        publisher.close()
    assert isinstance(error, LinkDown), error
    return error


def test_a_gateway_that_is_not_let_in_says_why(farm: Farm, store: Store, tmp_path: Path) -> None:
    (tmp_path / "another").mkdir()
    another = Farm(tmp_path / "another")
    good, revoked = farm.identity("gw-1"), farm.identity("gw-revoked")
    farm.authority.revoke("gw-revoked", now())
    with FarmBroker(farm) as broker:
        cases = {
            LinkState.CERT_EXPIRED: [farm.identity("gw-old", at=now() - timedelta(days=400))],
            LinkState.CLOCK_WRONG: [farm.identity("gw-new", at=now() + timedelta(days=30))],
            LinkState.REFUSED: [revoked, another.identity("gw-1"), good],
        }
        found = [(state, down(uplink(farm, own, broker.port), store)) for state, owns in cases.items() for own in owns]
        false = down(uplink(farm, good, broker.port, another.trusted), store)
        findings = [list(uplink(farm, own, broker.port).findings())[-1] for own in (good, revoked)]
    assert [each.state for _, each in found] == [state for state, _ in found], found
    assert "Not authorized" in str(found[-1][1]), "who may come in, and not write there"
    assert (false.state, "who answers is not the service" in str(false)) == (LinkState.OFFLINE, True)
    assert down(uplink(farm, good, free_port()), store).state == LinkState.OFFLINE
    assert [each.status for each in findings] == [Status.OK, Status.FAIL]


def test_what_a_gateway_is_told_is_the_state_of_its_uplink(farm: Farm, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    revoked = farm.identity("gw-1")
    farm.authority.revoke("gw-1", now())
    with FarmBroker(farm) as broker:
        settings = uplink(farm, revoked, broker.port)
        with closing(settings.open()) as publisher:
            worker = UplinkWorker(store, publisher, backoff=settings.retry)
            worker.start()
            assert eventually(lambda: worker.state == LinkState.REFUSED)
            worker.stop(0)
    assert "uplink is refused" in caplog.text
