"""Who may speak to the broker, and how: case 14 and case 10. Real mosquitto where it is needed."""

from __future__ import annotations

import getpass
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import trustme
from paho.mqtt import publish

from edge.config import ConfigError
from edge.gateway import Gateway
from edge.health import HealthStatus, exposition
from edge.intake import tls
from edge.intake.client import Intake
from edge.intake.reader import MqttMessage
from edge.intake.stream import split
from edge.store.store import Store
from lab.services.child import Child, free_port, listens
from tests.edge.gateways import START, config, rows
from tests.edge.shapes import described
from tests.waiting import eventually

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
PASSWD = shutil.which("mosquitto_passwd", path="/usr/bin:/usr/local/bin")


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


class Guarded:
    """Mosquitto with a password for the user `tinybeam`, over TLS with a certificate of its own alone."""

    def __init__(self, directory: Path) -> None:
        authority = trustme.CA()
        server = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(str(directory / "ca.pem"))
        server.private_key_pem.write_to_path(str(directory / "server.key"))
        server.cert_chain_pems[0].write_to_path(str(directory / "server.pem"))
        subprocess.run([str(PASSWD), "-b", "-c", str(directory / "users"), "tinybeam", "beam me up"], check=True)
        (directory / "password").write_text("beam me up\n")
        self.port, self._directory = free_port(), directory
        files = f"cafile {directory}/ca.pem\ncertfile {directory}/server.pem\nkeyfile {directory}/server.key\n"
        (directory / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nuser {getpass.getuser()}\n{files}allow_anonymous false\npassword_file {directory}/users\n"
        )

    def __enter__(self) -> Guarded:
        self._child = Child("broker", [str(MOSQUITTO), "-c", str(self._directory / "mosquitto.conf")], self._directory / "broker.log")
        self._child.wait_until(lambda: listens(self.port), "listening")
        return self

    def __exit__(self, *_: object) -> None:
        self._child.stop()


@pytest.mark.skipif(MOSQUITTO is None or PASSWD is None, reason="mosquitto is not installed (apt install mosquitto)")
def test_14_a_gateway_enters_with_user_password_and_ca_alone_and_hears_every_topic_of_its_classes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    topics = ["$share/farm/north/{device}/#", "south/+/{device}"]
    with Guarded(tmp_path) as broker:
        access = {"port": broker.port, "tls_ca": "ca.pem", "user": "tinybeam"}
        settings = config(tmp_path, mqtt={**access, "password_file": "password"}, sensors=[described(topics=topics)])
        intake = Intake(settings.mqtt, "gw-1", tls.context(settings.mqtt), settings.subscriptions)
        intake.start()
        assert eventually(lambda: intake.state == "online")
        login: Any = {"auth": {"username": "tinybeam", "password": "beam me up"}, "tls": {"ca_certs": str(tmp_path / "ca.pem")}}
        messages: Any = [{"topic": topic, "payload": b"7", "qos": 1} for topic in ("north/d1/a/b", "south/x/d2", "west/d3")]
        publish.multiple(messages, port=broker.port, hostname="127.0.0.1", **login)
        received: list[str] = []
        assert eventually(lambda: len(received.extend(each.message.topic for each in intake.take(0.1)) or received) >= 2)
        intake.stop()
        assert sorted(received) == ["north/d1/a/b", "south/x/d2"]
        stranger = Intake(config(tmp_path, mqtt=access).mqtt, "gw-1", tls.context(settings.mqtt), topics)
        stranger.start()
        assert eventually(lambda: "refuses the gateway" in caplog.text)
        stranger.stop()


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
