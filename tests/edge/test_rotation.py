"""Keys are renewed under load: a real gateway at a real mosquitto, whose key changes again and again, loses no reading."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge.config import Config, ConfigError
from edge.renewal import Renewal
from edge.run import run
from edge.store.store import Store
from keys import identity
from keys.error import KeysError
from lab.services.child import free_port
from tests import long_form
from tests.edge.gateways import config, stored_readings
from tests.keys.brokers import SECONDS, FarmBroker, with_mosquitto
from tests.keys.farms import Farm, Role, now, served
from tests.waiting import eventually

ROTATIONS = long_form.number(3, 100)
BETWEEN = 200
"""Readings between two rotations, and as many while the broker starts anew."""

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")


@pytest.fixture
def farm(tmp_path: Path) -> Farm:
    return Farm(tmp_path / "farm")


def configured(folder: Path, farm: Farm, server: str, port: int, **mqtt: object) -> Config:
    own = farm.folder / "gw-1.pem"
    files = {"tls_ca": str(farm.trusted), "tls_certificate": str(own), "tls_key": str(own)}
    return config(
        folder,
        mqtt={"host": "localhost", "port": port, **files, **mqtt},
        renewal={"server": server, "new_key": True},
        health={"port": free_port()},
    )


def health(settings: Config) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{settings.health.port}/healthz", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except OSError:
        return {}


def logged_in(broker: FarmBroker) -> int:
    return broker.log.read_text().count("as gw-1 (")


@contextmanager
def running(settings: Config) -> Iterator[None]:
    stopping = threading.Event()
    gateway = threading.Thread(target=run, args=(settings, stopping))
    gateway.start()
    try:
        yield
    finally:
        stopping.set()
        gateway.join()


class Sensor:
    """Publishes readings that count up, and notes which the broker has acknowledged."""

    def __init__(self, broker: FarmBroker) -> None:
        self._client, self._numbers, self._acknowledged = broker.client("d1", session=True), dict[int, int](), set[int]()
        self._client.on_publish = lambda _client, _data, number, _reason, _properties: self._acknowledged.add(number)

    @property
    def acknowledged(self) -> list[int]:
        """Returns the sensor's numbers of the readings that the broker has."""
        return [seq for seq, number in self._numbers.items() if number in self._acknowledged]

    def publish(self, count: int) -> None:
        """Returns once the broker has acknowledged all of them, in this connection or another."""
        for seq in range(len(self._numbers) + 1, len(self._numbers) + 1 + count):
            text = f'{{"time": "{now().isoformat()}", "seq": {seq}, "values": {{"moisture": 0.3}}}}'
            self._numbers[seq] = self._client.publish("sensors/d1/readings", text, qos=1).mid
        assert eventually(lambda: len(self._acknowledged) == len(self._numbers), SECONDS)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@with_mosquitto
@pytest.mark.timeout(60 + 30 * ROTATIONS)
def test_keys_that_are_renewed_under_load_cost_no_reading(farm: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
    file = farm.identity("gw-1")
    farm.identity("d1", Role.SENSOR)
    serials = {identity.read(file).certificate.serial_number}
    with FarmBroker(farm, extra="log_type all\n") as broker, served(farm.folder / "authority", farm.trusted) as client:
        settings = configured(tmp_path, farm, client.server, broker.port)
        with running(settings):
            assert eventually(lambda: logged_in(broker) >= 1)
            sensor, renewal = Sensor(broker), Renewal(settings, now, Random())
            for rotation in range(ROTATIONS):
                long_form.progress(rotation, ROTATIONS)
                sensor.publish(BETWEEN)
                before = logged_in(broker)
                renewal.renew()
                serials.add(identity.read(file).certificate.serial_number)
                broker.end()
                sensor.publish(BETWEEN)
                assert eventually(lambda before=before: logged_in(broker) > before, SECONDS), "the gateway comes in with its new key"
            sensor.stop()
            assert eventually(lambda: health(settings).get("readings_stored") == len(sensor.acknowledged), SECONDS)
    with closing(Store(settings.store_file, "gw-1", settings.store.max_bytes)) as opened:
        stored = stored_readings(opened)
    assert len(serials) == ROTATIONS + 1
    assert stored == Counter(("d1", seq) for seq in sensor.acknowledged)
    long_form.note("S3", measured=f"{ROTATIONS} rotations, {len(sensor.acknowledged):,} readings, 0 lost, 0 doubled", seed=0)


@with_mosquitto
def test_a_gateway_whose_certificate_has_expired_says_so_and_comes_in_again_once_it_is_renewed(
    farm: Farm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")
    farm.identity("gw-1", at=now() - timedelta(days=61))
    with FarmBroker(farm) as broker:
        settings = configured(tmp_path, farm, "", broker.port)
        with running(settings):
            assert eventually(lambda: health(settings).get("broker_state") == "cert_expired", SECONDS)
            assert health(settings)["status"] == "ok", "it goes on with what it has"
            farm.identity("gw-1")
            assert eventually(lambda: health(settings).get("broker_state") == "online", SECONDS)
            assert health(settings)["certificate_end_time"] == identity.read(farm.folder / "gw-1.pem").end.isoformat()


def test_a_certificate_is_renewed_from_two_thirds_of_its_life_and_not_before(farm: Farm, tmp_path: Path) -> None:
    file = farm.identity("gw-1")
    with served(farm.folder / "authority", farm.trusted) as client:
        settings, first = configured(tmp_path, farm, client.server, 1), identity.read(file)
        assert not Renewal(settings, lambda: now() + timedelta(days=39), Random(1)).renew_if_due()
        assert Renewal(settings, lambda: now() + timedelta(days=47), Random(1)).renew_if_due()
        assert identity.read(file).certificate != first.certificate


def test_a_server_that_is_away_or_refuses_leaves_the_old_certificate(farm: Farm, tmp_path: Path) -> None:
    file = farm.identity("gw-1")
    before = file.read_bytes()
    with served(farm.folder / "authority", farm.trusted) as client:
        settings = configured(tmp_path, farm, client.server, 1)
        farm.authority.revoke("gw-1", now())
        with pytest.raises(KeysError, match="it is revoked"):
            Renewal(settings, now, Random()).renew()
    with pytest.raises(KeysError, match="cannot be asked"):
        Renewal(settings, now, Random()).renew()
    assert file.read_bytes() == before


def test_what_could_be_torn_is_not_renewed(farm: Farm, tmp_path: Path) -> None:
    other = farm.identity("gw-1").rename(farm.folder / "other.pem")
    farm.identity("gw-1")
    with pytest.raises(ConfigError, match=r"renewal\.server renews key and certificate in one file"):
        configured(tmp_path, farm, "https://localhost:1", 1, tls_key=str(other))
