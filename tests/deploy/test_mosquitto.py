"""The broker's configuration in a real mosquitto: a sensor writes its own readings, the gateway reads all, and waits lose nothing."""

from __future__ import annotations

import getpass
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue

import pytest
from paho.mqtt.client import CallbackAPIVersion, Client, MQTTv311

from edge.intake import tls
from edge.intake.client import Intake, status_topic
from edge.intake.probe import Probe
from edge.settings.mqtt import MqttSettings
from lab.services.child import Child, free_port, listens
from tests.waiting import eventually

trustme = pytest.importorskip("trustme", reason="trustme is not installed (pip install trustme)")
ROOT = Path(__file__).parents[2]
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")
SECONDS = 60.0


@dataclass
class Farm:
    """The broker's address, and certificates of its authority."""

    port: int
    folder: Path
    authority: trustme.CA

    def certify(self, name: str) -> None:
        certificate = self.authority.issue_cert(f"{name}.example", common_name=name)
        certificate.private_key_and_cert_chain_pem.write_to_path(str(self.folder / f"{name}.pem"))

    def client(self, name: str, *, client_id: str = "", session: bool = False, hear: Callable[..., None] | None = None) -> Client:
        self.certify(name)
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id or name, clean_session=not session, protocol=MQTTv311)
        client.on_message = hear
        client.tls_set(str(self.folder / "ca.pem"), str(self.folder / f"{name}.pem"))
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        assert eventually(client.is_connected)
        return client


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    """The shipped files, with this machine's folder, port and user in the place of the broker's own."""
    authority, port = trustme.CA(), free_port()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    own = authority.issue_cert("127.0.0.1")
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "broker.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "broker.key"))
    shutil.copy(ROOT / "deploy/mosquitto/tinybeam.acl", tmp_path / "tinybeam.acl")
    (tmp_path / "tinybeam.acl").chmod(0o600)
    shipped = (ROOT / "deploy/mosquitto/tinybeam.conf").read_text()
    here = shipped.replace("/etc/mosquitto/tinybeam/", f"{tmp_path}/").replace("/var/lib/mosquitto/", f"{tmp_path}/")
    here = re.sub(r"(?m)^listener 8883$", f"listener {port} 127.0.0.1", here)
    (tmp_path / "mosquitto.conf").write_text(f"user {getpass.getuser()}\n{here}")
    child = Child("broker", [str(MOSQUITTO), "-c", str(tmp_path / "mosquitto.conf")], tmp_path / "broker.log")
    child.wait_until(lambda: listens(port), "listening")
    yield Farm(port, tmp_path, authority)
    child.stop()


def publish(client: Client, topic: str, payload: str) -> None:
    client.publish(topic, payload, qos=1).wait_for_publish(SECONDS)


def test_a_sensor_writes_its_own_readings_and_the_gateway_reads_them_all(farm: Farm) -> None:
    heard = Queue[tuple[str, bytes]]()
    gateway = farm.client("gateway-1", session=True, hear=lambda _client, _data, message: heard.put((message.topic, message.payload)))
    subscribed = Queue[object]()
    gateway.on_subscribe = lambda *_: subscribed.put(None)
    gateway.subscribe("sensors/+/readings", qos=1)
    subscribed.get(timeout=SECONDS)
    for forger in ("probe-1", "gateway-1"):
        lying = farm.client(forger, client_id=f"{forger}-lies")
        with suppress(RuntimeError):  # mosquitto 2.0.11 hangs up on who may not, later ones say nothing
            publish(lying, "sensors/probe-2/readings", "forged")
        lying.loop_stop()
    probe, other = farm.client("probe-1"), farm.client("probe-2")
    publish(probe, "sensors/probe-1/readings", "mine")
    publish(other, "sensors/probe-2/readings", "mine")
    assert sorted(heard.get(timeout=SECONDS) for _ in range(2)) == [
        ("sensors/probe-1/readings", b"mine"),
        ("sensors/probe-2/readings", b"mine"),
    ]
    with pytest.raises(Empty):
        heard.get_nowait()
    for client in (gateway, probe, other):
        client.loop_stop()


def test_a_gateway_of_ours_gets_readings_and_says_that_it_is_online(farm: Farm) -> None:
    farm.certify("gateway-1")
    own = farm.folder / "gateway-1.pem"
    settings = MqttSettings(port=farm.port, tls_ca=farm.folder / "ca.pem", tls_certificate=own, tls_key=own)
    intake = Intake(settings, "gateway-1", tls.context(settings), ["sensors/+/readings"])
    intake.start()
    assert eventually(lambda: intake.state == "online")
    probe = farm.client("probe-1")
    publish(probe, "sensors/probe-1/readings", "mine")
    received = list[bytes]()
    assert eventually(lambda: bool(received.extend(each.message.payload for each in intake.take(0.1)) or received))
    assert (received, intake.state) == ([b"mine"], "online")
    intake.stop()
    probe.loop_stop()
    log = (farm.folder / "broker.log").read_text()
    assert log.count("as gateway-1") == 1, "who writes what it may not is thrown out, and comes again"


def test_the_doctor_may_ask_what_it_asks(farm: Farm) -> None:
    farm.certify("gateway-1")
    own = farm.folder / "gateway-1.pem"
    settings = MqttSettings(port=farm.port, tls_ca=farm.folder / "ca.pem", tls_certificate=own, tls_key=own)
    gateway = farm.client("gateway-1")
    gateway.publish(status_topic("gateway-1"), "online", qos=1, retain=True).wait_for_publish(SECONDS)
    answers = Probe(settings, "gateway-1", tls.context(settings), ["sensors/+/readings"]).ask()
    gateway.loop_stop()
    assert (answers.is_complete, answers.refused_topics, answers.state("gateway-1")) == (True, [], "online")
    assert answers.version.startswith("mosquitto")
    assert "notAfter" in answers.certificate


def test_what_comes_while_the_gateway_is_away_waits_for_it(farm: Farm) -> None:
    heard, subscribed = Queue[bytes](), Queue[object]()
    gateway = farm.client("gateway-1", session=True)
    gateway.on_subscribe = lambda *_: subscribed.put(None)
    gateway.subscribe("sensors/+/readings", qos=1)
    subscribed.get(timeout=SECONDS)
    gateway.disconnect()
    gateway.loop_stop()
    probe = farm.client("probe-1")
    for number in range(3000):  # mosquitto's default keeps 1,000
        message = probe.publish("sensors/probe-1/readings", str(number), qos=1)
    message.wait_for_publish(SECONDS)
    back = farm.client("gateway-1", session=True, hear=lambda _client, _data, message: heard.put(message.payload))
    assert [int(heard.get(timeout=SECONDS)) for _ in range(3000)] == list(range(3000))
    for client in (back, probe):
        client.loop_stop()


def test_who_has_no_certificate_does_not_come_in(farm: Farm) -> None:
    stranger = Client(CallbackAPIVersion.VERSION2, client_id="stranger", protocol=MQTTv311)
    stranger.tls_set(str(farm.folder / "ca.pem"))
    refused = Queue[object]()
    stranger.on_disconnect = lambda *_: refused.put(None)
    with pytest.raises(OSError, match=r"."):  # noqa: PT012 - TLS 1.3 says no after the handshake
        stranger.connect("127.0.0.1", farm.port)
        stranger.loop_start()
        refused.get(timeout=SECONDS)
        stranger.loop_stop()
        raise OSError("disconnected")
