"""What the doctor finds of the broker and its certificates. A twin that refuses; real mosquitto for what it keeps."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from edge import certificate_findings
from edge.finding import Finding
from edge.intake.broker_findings import of_answers, of_broker
from edge.intake.client import Intake, status_topic
from edge.intake.probe import Answers, Probe
from lab.services.broker import Broker
from lab.services.child import free_port
from lab.witness.tcp_proxy import TcpProxy
from tests.edge.broker_twin import REFUSED, BrokerTwin
from tests.edge.gateways import START, config
from tests.edge.shapes import described
from tests.waiting import eventually

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")


def found(folder: Path, broker: BrokerTwin, *topics: str) -> list[tuple[str, str]]:
    settings = config(folder, mqtt={"port": broker.port}, sensors=[described(topics=list(topics))])
    return [(finding.status, finding.text.partition(" ")[2]) for finding in of_broker(settings, START, runs_here=False)]


def test_the_doctor_subscribes_as_the_gateway_will_and_takes_nothing_from_it(tmp_path: Path) -> None:
    with BrokerTwin() as broker:
        first, _queue = found(tmp_path, broker, "north/{device}", "$share/farm/{device}/state")
    assert first == ("ok", "lets the gateway in and grants north/+, $share/farm/+/state")
    assert (broker.client_ids, broker.subscriptions[:2]) == (["gw-1-doctor"], ["north/+", "+/state"])


def test_a_subscription_that_the_broker_refuses_is_named(tmp_path: Path) -> None:
    with BrokerTwin(grant=lambda topic: REFUSED if topic == "south/+" else 1) as broker:
        first, _queue = found(tmp_path, broker, "north/{device}", "south/{device}")
    assert first == ("fail", "refuses the subscription to south/+")


def test_a_broker_that_lets_nobody_in_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    with BrokerTwin(enters=5) as broker:
        assert found(tmp_path, broker, "north/{device}") == [("fail", "refuses a client like the gateway: Not authorized")]


def judged(folder: Path, *, runs_here: bool = False, **texts: str) -> list[Finding]:
    names = {"state": status_topic("gw-1"), "dropped": "$SYS/broker/publish/messages/dropped", "version": "$SYS/broker/version"}
    answers = Answers("gw-1-doctor", refusal="", is_complete=True, texts={names[name]: text for name, text in texts.items()})
    return list(of_answers(config(folder), answers, runs_here=runs_here))


@pytest.mark.parametrize(
    ("state", "runs_here", "sentence"),
    [
        ("online", False, "gw-1 is online, but no gateway runs here"),
        ("offline", True, "the broker says that gw-1 is offline"),
        ("online", True, ""),
        ("offline", False, ""),
    ],
)
def test_a_second_gateway_of_the_same_name_is_seen_by_what_the_broker_keeps(
    tmp_path: Path, state: str, runs_here: bool, sentence: str
) -> None:
    warnings = [finding.text for finding in judged(tmp_path, runs_here=runs_here, state=state) if finding.status == "warn"]
    assert ([sentence in text for text in warnings] or [not sentence]) == [True]


def test_15_what_a_broker_dropped_is_a_warning_that_names_the_settings(tmp_path: Path) -> None:
    queue = judged(tmp_path, version="mosquitto version 2.0.11", dropped="2000")[-1]
    assert (queue.name, queue.status) == ("broker queue", "warn")
    assert "mosquitto version 2.0.11 has dropped 2000 messages" in queue.text
    assert "max_queued_messages 0" in queue.advice
    kept = judged(tmp_path, version="mosquitto version 2.0.11", dropped="0")[-1]
    assert (kept.status, "defaults keep 1,000" in kept.text, "max_queued_messages 0" in kept.advice) == ("ok", True, True)


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)")
def test_a_gateway_that_runs_stays_online_while_the_doctor_asks(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker, TcpProxy(("127.0.0.1", broker.port)) as proxy:
        settings = config(tmp_path, mqtt={"port": broker.port})
        intake = Intake(config(tmp_path, mqtt={"port": proxy.port}).mqtt, "gw-1", None, settings.subscriptions)
        intake.start()
        assert eventually(lambda: Probe(settings.mqtt, "gw-1", None, settings.subscriptions).ask().state("gw-1") == "online")
        answers = Probe(settings.mqtt, "gw-1", None, settings.subscriptions).ask()
        assert (answers.is_complete, answers.version.split()[0]) == (True, "mosquitto")
        assert (proxy.connections, intake.state) == (1, "online")
        intake.stop()


@pytest.mark.parametrize(
    ("days", "status", "sentence"),
    [(-1, "fail", "is not valid before"), (0, "ok", "400 days more"), (371, "warn", "29 days more"), (401, "fail", "expired on")],
)
def test_12_the_dates_of_a_certificate_are_said(days: int, status: str, sentence: str) -> None:
    finding = certificate_findings.of_dates("own.pem", START, START + timedelta(days=400), START + timedelta(days=days))
    assert (finding.status, sentence in finding.text) == (status, True)


def certified(folder: Path, trusted: trustme.CA, signer: trustme.CA) -> Any:
    own = signer.issue_cert("gw-1.example", common_name="gw-1", not_after=datetime(2027, 1, 1, tzinfo=UTC))
    trusted.cert_pem.write_to_path(str(folder / "ca.pem"))
    own.private_key_pem.write_to_path(str(folder / "own.key"))
    own.cert_chain_pems[0].write_to_path(str(folder / "own.pem"))
    files = {"tls_ca": "ca.pem", "tls_certificate": "own.pem", "tls_key": "own.key"}
    return config(folder, mqtt={"port": free_port(), **files}).mqtt


def test_a_certificate_of_another_authority_is_a_warning_and_its_own_end_is_said(tmp_path: Path) -> None:
    ours, other = trustme.CA(), trustme.CA()
    now = datetime(2026, 12, 20, tzinfo=UTC)
    (tmp_path / "good").mkdir()
    (tmp_path / "foreign").mkdir()
    _, own = certificate_findings.of_settings(certified(tmp_path / "good", ours, ours), now)
    assert (own.status, "valid until 2027-01-01, 12 days more" in own.text) == ("warn", True)
    *_, foreign = certificate_findings.of_settings(certified(tmp_path / "foreign", ours, other), now)
    assert (foreign.status, "is not signed by mqtt.tls_ca" in foreign.text) == ("warn", True)
