"""Who may speak to the broker, and how: case 14 and case 10. Real mosquitto where it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.config import ConfigError
from edge.gateway import Gateway
from edge.health import HealthStatus, exposition
from edge.intake.reader import MqttMessage
from edge.intake.stream import split
from edge.store.store import Store
from tests.edge.gateways import START, config, rows


def test_14_a_plain_broker_on_the_lan_is_possible_only_when_asked_for_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mqtt\.host 192\.168\.1\.5 is another machine: set mqtt\.tls_ca, or allow_plain = true"):
        config(tmp_path, mqtt={"host": "192.168.1.5"})
    assert config(tmp_path, mqtt={"host": "192.168.1.5", "allow_plain": True}).mqtt.is_plain
    assert not config(tmp_path, mqtt={"host": "127.0.0.1", "allow_plain": True}).mqtt.is_plain


def test_14_a_plain_broker_of_the_whole_world_is_refused_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"8\.8\.8\.8 is a public address"):
        config(tmp_path, mqtt={"host": "8.8.8.8", "allow_plain": True})


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"password_file": "p"}, "mqtt.password_file needs user"),
        ({"tls_certificate": "c", "tls_key": "k"}, "mqtt.tls_certificate needs tls_ca"),
        ({"user": "u", "password_file": "absent"}, "mqtt.password_file: there is no file"),
    ],
)
def test_14_what_is_missing_is_named(tmp_path: Path, settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as error:
        config(tmp_path, mqtt=settings)
    assert sentence in str(error.value)


def retained(topic: str = "sensors/d1/readings") -> MqttMessage:
    return MqttMessage(topic, b'{"values":{"moisture":0.3}}', retain=True)


@pytest.mark.parametrize(("takes", "stored"), [(False, 0), (True, 1)])
def test_10_a_retained_message_is_no_reading_unless_the_class_says_so(tmp_path: Path, takes: bool, stored: int) -> None:
    sensors = [{"name": "s", "devices": ["*"], "channels": {"moisture": "m3/m3"}, "retained": takes}]
    settings = config(tmp_path, sensors=sensors)
    for _ in range(6):
        store = Store(settings.store_file, "gw-1", settings.store.max_bytes)
        Gateway(settings, store, START).accept([retained()], START)
        assert store.ledger().journaled == stored
        assert rows(store, "rejects") == []
        store.close()


def test_10_the_broker_s_flag_is_read_from_the_wire() -> None:
    packets = b"".join(bytes([head, 4, 0, 1, 97, 55]) for head in (0x30, 0x31))
    incoming, _, _ = split(packets, stream=None)  # type: ignore[arg-type]
    assert [each.message.retain for each in incoming] == [False, True]


def test_a_plain_broker_is_a_metric() -> None:
    from docs.generate.metrics import _heartbeat

    status = HealthStatus(_heartbeat())
    assert ("tinybeam_broker_plain 1" in exposition(status, plain=True), "tinybeam_broker_plain 0" in exposition(status)) == (True, True)
