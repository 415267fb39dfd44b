"""Mutual TLS between gateway and broker: each refuses the other without a certificate of its authority. Real mosquitto."""

from __future__ import annotations

import getpass
import logging
import shutil
import socket
import time
from pathlib import Path
from random import Random
from threading import Thread

import pytest
from paho.mqtt import publish

from edge.config import ConfigError
from edge.intake import tls
from edge.intake.client import Intake
from edge.settings.mqtt import MqttSettings
from lab.services.child import Child, free_port, listens
from tests.attack import Attack
from tests.edge.gateways import config
from tests.waiting import eventually

trustme = pytest.importorskip("trustme", reason="trustme is not installed (pip install trustme)")
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
READINGS = ["sensors/+/readings"]
with_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")


class SecureBroker:
    """mosquitto that wants a certificate of its own authority from everybody."""

    def __init__(self, directory: Path, authority: trustme.CA) -> None:
        self.port = free_port()
        directory.mkdir()
        authority.cert_pem.write_to_path(str(directory / "ca.pem"))
        own = authority.issue_cert("localhost", "127.0.0.1")
        own.private_key_and_cert_chain_pem.write_to_path(str(directory / "own.pem"))
        files = f"cafile {directory}/ca.pem\ncertfile {directory}/own.pem\nkeyfile {directory}/own.pem\n"
        (directory / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nuser {getpass.getuser()}\n{files}require_certificate true\nuse_identity_as_username true\n"
            "allow_anonymous true\n"
        )
        self._directory = directory

    def __enter__(self) -> SecureBroker:
        self._child = Child("broker", [str(MOSQUITTO), "-c", str(self._directory / "mosquitto.conf")], self._directory / "broker.log")
        self._child.wait_until(lambda: listens(self.port), "listening")
        return self

    def __exit__(self, *_: object) -> None:
        self._child.stop()


def secured(directory: Path, port: int, trusted: trustme.CA, signer: trustme.CA) -> MqttSettings:
    """Settings of a gateway with a certificate by `signer`, that trusts brokers of `trusted`."""
    directory.mkdir()
    trusted.cert_pem.write_to_path(str(directory / "ca.pem"))
    own = signer.issue_cert("gw-1.example", common_name="gw-1")
    own.private_key_pem.write_to_path(str(directory / "key.pem"))
    for blob in own.cert_chain_pems:
        blob.write_to_path(str(directory / "own.pem"), append=True)
    files = {"tls_ca": str(directory / "ca.pem"), "tls_certificate": str(directory / "own.pem"), "tls_key": str(directory / "key.pem")}
    return config(directory, mqtt={"port": port, **files}).mqtt


@with_mosquitto
# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_only_a_gateway_with_a_certificate_of_the_authority_comes_in_and_only_to_a_true_broker(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, attack: Attack
) -> None:
    ours, other = trustme.CA(), trustme.CA()
    caplog.set_level(logging.INFO)
    entered = []
    with SecureBroker(tmp_path / "broker", ours) as broker:
        good = secured(tmp_path / "good", broker.port, ours, ours)
        wrong_signer = secured(tmp_path / "stranger", broker.port, ours, other)
        wrong_broker = secured(tmp_path / "wary", broker.port, other, ours)
        for settings, context in (
            (good, tls.context(good)),
            (wrong_signer, tls.context(wrong_signer)),
            (wrong_broker, tls.context(wrong_broker)),
            (good, None),
        ):
            caplog.clear()
            intake = Intake(settings, "gw-1", context, READINGS)
            intake.start()
            assert eventually(lambda: any(text in caplog.text for text in ("is online", "trying again"))), caplog.text
            entered.append(intake.state == "online")
            intake.stop()
    control = "with certificates of one authority on both sides the same client enters"
    attack(
        "client-of-another-ca",
        attacker="stranger",
        attempt="comes to the broker with a certificate of another authority, or in plain MQTT",
        outcome="not let in",
        attempts=2,
        accepted=entered[1] + entered[3],
        control=control,
    )
    attack(
        "broker-of-another-ca",
        attacker="network",
        attempt="answers the gateway in the place of its broker, with a certificate of another authority",
        outcome="the gateway breaks off, and tries again",
        attempts=1,
        accepted=int(entered[2]),
        control=control,
    )
    assert entered[0]


@with_mosquitto
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_12_files_that_are_renewed_are_taken_at_the_next_connection(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ours, other = trustme.CA(), trustme.CA()
    with SecureBroker(tmp_path / "broker", ours) as broker:
        settings = secured(tmp_path / "gateway", broker.port, other, other)
        intake = Intake(settings, "gw-1", tls.context(settings), READINGS)
        intake.start()
        assert eventually(lambda: "trying again" in caplog.text)
        renewed = secured(tmp_path / "renewed", broker.port, ours, ours)
        for name in ("tls_ca", "tls_certificate", "tls_key"):
            getattr(renewed, name).replace(getattr(settings, name))
        assert eventually(lambda: intake.state == "online", 20)
        intake.stop()


def test_12_a_certificate_that_is_renewed_before_its_key_costs_no_connection(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    authority = trustme.CA()
    settings = secured(tmp_path / "gateway", 1, authority, authority)
    files = tls.context(settings)
    assert files is not None
    secured(tmp_path / "renewed", 1, authority, authority).tls_certificate.replace(settings.tls_certificate)  # type: ignore[union-attr, arg-type]
    one, other = socket.socketpair()
    with one, other, files.wrap_socket(one, "localhost", do_handshake_on_connect=False) as wrapped:
        assert wrapped.context.get_ca_certs()
    assert "connecting with what was read before" in caplog.text


@with_mosquitto
def test_messages_of_all_sizes_come_whole_and_in_order_over_tls_and_are_acknowledged_once(tmp_path: Path) -> None:
    authority, rng = trustme.CA(), Random(20260501)
    payloads = [number.to_bytes(2, "big") + rng.randbytes(rng.choice((0, 20, 200, 20_000, 60_000))) for number in range(400)]
    with SecureBroker(tmp_path / "broker", authority) as broker:
        settings = secured(tmp_path / "gateway", broker.port, authority, authority)
        files = {"ca_certs": settings.tls_ca, "certfile": settings.tls_certificate, "keyfile": settings.tls_key}
        intake, received = Intake(settings, "gw-1", tls.context(settings), READINGS), []
        intake.start()
        assert eventually(lambda: intake.state == "online")
        messages = [{"topic": "sensors/d1/readings", "payload": payload, "qos": 1} for payload in payloads]
        publishing = Thread(target=lambda: publish.multiple(messages, port=broker.port, hostname="localhost", tls=files))  # type: ignore[arg-type]
        publishing.start()
        deadline = time.monotonic() + 60
        while len(received) < len(payloads) and time.monotonic() < deadline:
            some = intake.take(0.1)
            intake.acknowledge(some)
            received += some
        publishing.join()
        intake.stop()
        again = Intake(settings, "gw-1", tls.context(settings), READINGS)
        again.start()
        assert eventually(lambda: again.state == "online")
        assert again.take(0.2) == []
        again.stop()
    assert [one.message.payload for one in received] == payloads


def test_a_certificate_that_does_not_fit_its_key_is_a_config_error(tmp_path: Path) -> None:
    authority = trustme.CA()
    one, other = secured(tmp_path / "one", 1, authority, authority), secured(tmp_path / "other", 1, authority, authority)
    assert one.tls_key
    assert other.tls_key
    one.tls_key.write_bytes(other.tls_key.read_bytes())
    with pytest.raises(ConfigError, match=r"mqtt\.tls_certificate .*own\.pem with mqtt\.tls_key"):
        tls.context(one)
