"""The broker's files in a real mosquitto: who comes in, who writes what, and that what waits is not lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from queue import Queue
from random import Random
from threading import Event, Thread

import pytest
from paho.mqtt.client import Client

from edge.intake import tls
from edge.intake.client import Intake, status_topic
from edge.intake.probe import Probe
from edge.settings.mqtt import MqttSettings
from keys import authority, enrolment
from keys.broker import passwords
from keys.broker.configuration import Listeners, configuration
from keys.broker.follow import follow
from keys.broker.refused import MOST_CHARACTERS, MOST_PAIRS, OTHERS, Refused
from keys.broker.watch import watch
from keys.error import KeysError
from tests import attack as attacks
from tests.attack import Attack
from tests.keys.brokers import SECONDS, FarmBroker, publish, with_mosquitto
from tests.keys.farms import Farm, Holder, Role, now, served
from tests.waiting import eventually

pytestmark = [
    with_mosquitto,
    # paho leaves the socket of a failed handshake to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"),
]
FORGERIES = 10_000


@pytest.fixture
def broker(farm: Farm) -> Iterator[FarmBroker]:
    farm.identity("gateway-1")
    for sensor in ("probe-1", "probe-2"):
        farm.identity(sensor, Role.SENSOR)
    with FarmBroker(farm, extra="log_type all\n") as broker:
        yield broker


def mqtt(broker: FarmBroker, *, trusted: Path | None = None) -> MqttSettings:
    own = broker.farm.folder / "gateway-1.pem"
    return MqttSettings(port=broker.port, tls_ca=trusted or broker.farm.trusted, tls_certificate=own, tls_key=own)


def reading_gateway(broker: FarmBroker) -> tuple[Queue[tuple[str, bytes]], Client]:
    heard, subscribed = Queue[tuple[str, bytes]](), Queue[object]()
    gateway = broker.client("gateway-1", hear=lambda _client, _data, message: heard.put((message.topic, message.payload)))
    gateway.on_subscribe = lambda *_: subscribed.put(None)
    gateway.subscribe("sensors/+/readings", qos=1)
    subscribed.get(timeout=SECONDS)
    return heard, gateway


def test_a_sensor_does_not_write_as_another_however_often_it_tries(broker: FarmBroker, attack: Attack) -> None:
    """Nobody is told: mosquitto's log alone says what it refused."""
    heard, gateway = reading_gateway(broker)
    liar, victim = broker.client("probe-1"), broker.client("probe-2")
    elsewhere = ["sensors/probe-2", "sensors/probe-2/x/y", "gateways/gateway-1/status", "elsewhere"]
    for topic in [*["sensors/probe-2/readings"] * FORGERIES, *elsewhere]:
        liar.publish(topic, "forged", qos=0)
    publish(liar, "sensors/probe-1/readings", "mine")
    publish(victim, "sensors/probe-2/readings", "mine, too")
    heard_so_far = set[tuple[str, bytes]]()
    assert eventually(lambda: heard_so_far.update(_drained(heard)) or len(heard_so_far) >= 2)
    came_through = heard_so_far - {("sensors/probe-1/readings", b"mine"), ("sensors/probe-2/readings", b"mine, too")}
    attack(
        "sensor-as-another",
        attacker="device",
        attempt="publishes under another sensor's name, on its other topics, as a gateway and elsewhere",
        outcome="thrown away by the broker's access list, which names who connects by the certificate",
        attempts=FORGERIES + len(elsewhere),
        accepted=len(came_through),
        control="where the list lets sensors write sensors/+/#, the forgeries arrive",
    )
    counted = refused(broker)
    assert counted["probe-1", "sensors/probe-2/readings"] == FORGERIES
    assert counted.total() == FORGERIES + len(elsewhere)
    for client in (liar, victim, gateway):
        client.loop_stop()


def refused(broker: FarmBroker) -> Counter[tuple[str, str]]:
    found = Refused()
    found.add(broker.log.read_text().splitlines())
    return found.counted


def test_what_is_refused_is_counted_while_it_happens_by_the_name_of_the_certificate(broker: FarmBroker, tmp_path: Path) -> None:
    log, metrics, stopping = tmp_path / "mosquitto.log", tmp_path / "refused.prom", Event()
    following = Thread(target=follow, args=(log, metrics, stopping, 0.05))
    following.start()
    liar = broker.client("probe-1", client_id="probe-2 as somebody (p2, c1, k60, u'probe-2')")
    line = 'tinybeam_broker_refused_total{name="probe-1",topic="sensors/probe-2/\\"x"} '

    def forge(count: int) -> None:
        for _ in range(count):
            liar.publish('sensors/probe-2/"x', "forged", qos=0)
        publish(liar, "sensors/probe-1/readings", "mine")

    forge(3)
    log.write_bytes(broker.log.read_bytes())
    assert eventually(lambda: line + "3\n" in metrics.read_text()), "the log came after the look at it began"
    log.rename(tmp_path / "mosquitto.log.1")
    before = len(broker.log.read_bytes())
    forge(2)
    log.write_bytes(broker.log.read_bytes()[before:])
    assert eventually(lambda: line + "5\n" in metrics.read_text()), "it was replaced"
    log.write_bytes(b"")
    before = len(broker.log.read_bytes())
    forge(1)
    assert eventually(lambda: len(broker.log.read_bytes()) > before)
    with log.open("ab") as cut_short:
        cut_short.write(broker.log.read_bytes()[before:])
    assert eventually(lambda: line + "6\n" in metrics.read_text()), "it was cut short"
    stopping.set()
    following.join()
    liar.disconnect()
    liar.loop_stop()


def test_names_and_topics_that_devices_invent_stay_bounded() -> None:
    found = Refused()
    found.add(f"1: Denied PUBLISH from {number:0300} (d0, q0, r0, m0, 't{number:0300}', ... (6 bytes))" for number in range(MOST_PAIRS + 7))
    assert len(found.counted) == 1, "names that begin alike are one"
    found.add(f"1: Denied PUBLISH from {number} (d0, q0, r0, m0, 't', ... (6 bytes))" for number in range(2 * MOST_PAIRS))
    assert len(found.counted) == MOST_PAIRS + 1
    assert found.counted.total() == 3 * MOST_PAIRS + 7
    assert found.counted[OTHERS] > 0
    assert max(len(part) for pair in found.counted for part in pair) == MOST_CHARACTERS


def _drained(heard: Queue[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [heard.get_nowait() for _ in range(heard.qsize())]


def test_a_forgery_at_qos_1_does_not_come_through_either(broker: FarmBroker) -> None:
    heard, gateway = reading_gateway(broker)
    liar, victim = broker.client("probe-1"), broker.client("probe-2")
    answered = liar.publish("sensors/probe-2/readings", "forged", qos=1)
    # 2.0.11 hangs up, and the client comes again with it; later ones acknowledge it
    assert eventually(lambda: answered.is_published() or refused(broker).total() > 1)
    publish(victim, "sensors/probe-2/readings", "mine")
    assert heard.get(timeout=SECONDS) == ("sensors/probe-2/readings", b"mine")
    assert heard.empty()
    for client in (liar, victim, gateway):
        client.loop_stop()


def test_a_gateway_writes_as_no_sensor_and_a_sensor_reads_nothing(broker: FarmBroker) -> None:
    heard, gateway = reading_gateway(broker)
    stolen = list[bytes]()
    other = broker.client("probe-2", hear=lambda _client, _data, message: stolen.append(message.payload))
    other.subscribe("#", qos=1)
    gateway.publish("sensors/probe-1/readings", "forged", qos=0)
    publish(gateway, "gateways/gateway-1/status", "online")
    publish(broker.client("probe-1"), "sensors/probe-1/readings", "mine")
    publish(other, "sensors/probe-2/readings", "last")
    assert [heard.get(timeout=SECONDS)[1] for _ in range(2)] == [b"mine", b"last"]
    assert stolen == []


def test_eight_who_may_not_come_in_do_not(broker: FarmBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture, attack: Attack) -> None:
    farm, ca = broker.farm, str(broker.farm.trusted)
    farm.identity("revoked", Role.SENSOR)
    farm.authority.revoke("revoked", now())
    farm.identity("expired", Role.SENSOR, at=now() - timedelta(days=61))
    farm.identity("future", Role.SENSOR, at=now() + timedelta(days=2))
    farm.identity("serves", Role.SERVER)
    other = Farm(tmp_path / "other")
    broker.files.write(now())
    watch_once(broker)
    assert eventually(lambda: broker.lets_in(tls={"ca_certs": ca, "certfile": str(farm.folder / "probe-1.pem")}))
    shown = {name: str(farm.folder / f"{name}.pem") for name in ("revoked", "expired", "future", "serves")}
    shown["wrong authority"] = str(other.identity("probe-1", Role.SENSOR))
    entered = {name: broker.lets_in(tls={"ca_certs": ca, "certfile": file}) for name, file in shown.items()}
    entered["anonymous"] = broker.lets_in(tls={"ca_certs": ca})
    entered["plaintext"] = broker.lets_in(tls=None)
    settings = mqtt(broker, trusted=other.trusted)
    wary = Intake(settings, "gateway-1", tls.context(settings), ["sensors/+/readings"])
    wary.start()
    assert eventually(lambda: "cannot be reached" in caplog.text)
    entered["gateway at a false broker"] = wary.state == "online"
    wary.stop()
    for name, (row, attacker, attempt, control) in _ENTRANCES.items():
        attack(
            row,
            attacker=attacker,
            attempt=attempt,
            outcome="does not come in",
            attempts=1,
            accepted=int(entered.pop(name)),
            control=control,
        )
    assert entered == {}


@pytest.mark.parametrize(
    ("name", "sentence", "days", "hosts"),
    [
        ("broker-expired-itself", "shows a certificate of the farm that has expired", 61, ["localhost"]),
        ("broker-of-another-host", "shows a certificate that the farm gave to another host", 0, ["elsewhere.example"]),
    ],
)
def test_a_gateway_does_not_speak_to_a_broker_whose_certificate_is_not_good(
    farm: Farm, caplog: pytest.LogCaptureFixture, attack: Attack, name: str, sentence: str, days: int, hosts: list[str]
) -> None:
    farm.identity("gateway-1")
    broker = FarmBroker(farm)
    own = farm.identity("broker", Role.SERVER, at=now() - timedelta(days=days), hosts=hosts)
    (broker.folder / "broker.pem").write_bytes(own.read_bytes())
    with broker:
        settings = mqtt(broker)
        wary = Intake(settings, "gateway-1", tls.context(settings), ["sensors/+/readings"])
        wary.start()
        assert eventually(lambda: "cannot be reached" in caplog.text or wary.state == "online")
        entered = wary.state == "online"
        wary.stop()
    attack(
        name,
        attacker="network",
        attempt=f"answers in the broker's place, and {sentence}",
        outcome="the gateway breaks off, and tries again",
        attempts=1,
        accepted=int(entered),
        control="with a certificate of today for its own host the same gateway gets readings",
    )


_ENTRANCES = {
    "revoked": ("broker-revoked", "device", "comes with a certificate that was revoked", "without crlfile it comes in"),
    "expired": ("broker-expired", "device", "comes with a certificate that has expired", "with the same of today it comes in"),
    "future": ("broker-future", "device", "comes with a certificate that is not valid yet", "with the same of today it comes in"),
    "serves": (
        "broker-server-usage",
        "device",
        "comes with a certificate that is good for servers alone",
        "with one for clients it comes in",
    ),
    "wrong authority": (
        "broker-wrong-authority",
        "stranger",
        "signs a certificate itself, by another authority",
        "by the farm's it comes in",
    ),
    "anonymous": ("broker-anonymous", "stranger", "comes without a certificate", "without require_certificate it comes in"),
    "plaintext": ("broker-plaintext", "stranger", "comes without TLS", "by TLS with a certificate it comes in"),
    "gateway at a false broker": (
        "broker-false",
        "network",
        "answers in the broker's place, with a certificate of another authority",
        "a gateway that trusts that authority comes in",
    ),
}
"""Who is tried -> the row of the table of attacks: its name, attacker, attempt and control."""


def watch_once(broker: FarmBroker) -> None:
    """Looks once, and restarts."""
    stopping = Event()
    stopping.set()
    watch(broker.files, broker.restart, stopping, now)


def test_who_is_revoked_or_expires_is_out_within_a_minute_and_the_others_come_again(broker: FarmBroker) -> None:
    """`now` is a clock of the test for the authority's side: what mosquitto thinks of the time is its own."""
    farm = broker.farm
    farm.authority.issue(Holder("brief", Role.SENSOR), now(), days=4 / 86_400).write(farm.folder / "brief.pem")
    stopping = Event()
    watching = Thread(target=watch, args=(broker.files, broker.restart, stopping, now, 0.2))
    revoked, brief, honest = broker.client("probe-1"), broker.client("brief"), broker.client("probe-2")
    watching.start()
    assert eventually(lambda: not brief.is_connected(), SECONDS), "it has expired"
    farm.authority.revoke("probe-1", now())
    certificate = {"ca_certs": str(farm.trusted), "certfile": str(farm.folder / "probe-1.pem")}
    assert eventually(lambda: not broker.lets_in(tls=certificate), SECONDS)
    assert eventually(lambda: not revoked.is_connected() and honest.is_connected(), SECONDS)
    stopping.set()
    watching.join()
    for client in (revoked, brief, honest):
        client.disconnect()
        client.loop_stop()


def test_certificates_of_both_issuing_keys_come_in_and_are_taken_back_while_one_takes_the_others_place(broker: FarmBroker) -> None:
    farm = broker.farm
    with served(farm.folder / "authority", farm.trusted) as client:
        authority.replace(farm.folder / "authority", farm.folder / "authority" / "root.key", now())
        watch_once(broker)
        old, new = (str(farm.folder / f"{name}.pem") for name in ("probe-1", "probe-2"))
        request = enrolment.ask(Path(new), "probe-2", new_key=False)
        enrolment.take(Path(new), client.renew(Path(new), request), farm.trusted, now())
    shown = [{"ca_certs": str(farm.trusted), "certfile": file} for file in (old, new)]
    assert eventually(lambda: [broker.lets_in(tls=each) for each in shown] == [True, True])
    for name, expected in (("probe-1", [False, True]), ("probe-2", [False, False])):
        farm.authority.revoke(name, now())
        watch_once(broker)
        # not before it runs again: nobody comes in while it starts
        assert eventually(lambda: broker.lets_in(tls={**shown[0], "certfile": str(farm.folder / "gateway-1.pem")}))
        assert [broker.lets_in(tls=each) for each in shown] == expected


def test_what_cannot_be_written_or_restarted_is_tried_again(broker: FarmBroker, caplog: pytest.LogCaptureFixture) -> None:
    stopping = Event()
    watching = Thread(target=watch, args=(broker.files, "false", stopping, now, 0.01))
    watching.start()
    assert eventually(lambda: caplog.text.count("`false` failed") > 1)
    stopping.set()
    watching.join()


def test_a_sensor_with_a_password_writes_its_own_and_only_where_passwords_are_asked_for(farm: Farm) -> None:
    farm.identity("gateway-1")
    broker = FarmBroker(farm, passwords=True)
    password = passwords.add(broker.folder / "passwords", "tin-1")
    passwords.add(broker.folder / "passwords", "tin-2")
    assert password not in (broker.folder / "passwords").read_text()
    ca = {"ca_certs": str(farm.trusted)}
    with broker:
        asked = [("tin-1", password, broker.password_port), ("tin-1", "guess", broker.password_port), ("tin-1", password, broker.port)]
        assert [broker.lets_in(tls=ca, user=(name, word), port=port) for name, word, port in asked] == [True, False, False]
        assert not broker.lets_in(tls=None, user=("tin-1", password), port=broker.password_port)
        assert not broker.lets_in(tls=ca, port=broker.password_port)
    passwords.remove(broker.folder / "passwords", "tin-1")
    assert passwords.names(broker.folder / "passwords") == ["tin-2"]
    passwords.add(broker.folder / "passwords", "gateway-1")
    with pytest.raises(KeysError, match="'gateway-1' is a gateway and has a password"):
        broker.files.write(now())


def test_a_gateway_of_ours_gets_readings_and_says_that_it_is_online(broker: FarmBroker) -> None:
    settings = mqtt(broker)
    intake = Intake(settings, "gateway-1", tls.context(settings), ["sensors/+/readings"])
    intake.start()
    assert eventually(lambda: intake.state == "online")
    probe = broker.client("probe-1")
    publish(probe, "sensors/probe-1/readings", "mine")
    received = list[bytes]()
    assert eventually(lambda: bool(received.extend(each.message.payload for each in intake.take(0.1)) or received))
    assert (received, intake.state) == ([b"mine"], "online")
    intake.stop()
    probe.loop_stop()
    assert broker.log.read_text().count("as gateway-1") == 1, "who writes what it may not is thrown out, and comes again"


@dataclass
class Session:
    """A gateway that has subscribed under a client id, and how often it was thrown out."""

    broker: FarmBroker
    client_id: str
    heard: set[bytes] = field(default_factory=set)
    thrown_out: int = 0

    def __post_init__(self) -> None:
        subscribed = Queue[object]()
        self.client = self.broker.client(
            "gateway-1", client_id=self.client_id, session=True, hear=lambda _client, _data, message: self.heard.add(message.payload)
        )
        self.client.on_subscribe = lambda *_: subscribed.put(None)
        self.client.on_disconnect = self._note
        self.client.subscribe("sensors/+/readings", qos=1)
        subscribed.get(timeout=SECONDS)

    def _note(self, *_: object) -> None:
        self.thrown_out += 1

    def leave(self) -> None:
        self.client.on_message = self.client.on_disconnect = self.client.on_subscribe = None
        self.client.disconnect()
        self.client.loop_stop()


def enter(broker: FarmBroker, client_id: str) -> None:
    """Comes and goes as a sensor under that client id."""
    thief = broker.client("probe-2", client_id=client_id, session=True)
    thief.disconnect()
    thief.loop_stop()


def test_a_session_is_taken_by_who_knows_its_client_id_and_nobody_guesses_a_random_one(broker: FarmBroker, attack: Attack) -> None:
    rng, attempts = Random(11), attacks.number(40, 400)
    known, secret = Session(broker, "gateway-1"), Session(broker, "gateway-1-8c1f0a62b7d94e35")
    enter(broker, "gateway-1")
    assert eventually(lambda: known.thrown_out == 1)
    known.leave()
    probe = broker.client("probe-1")
    publish(probe, "sensors/probe-1/readings", "waits")
    enter(broker, "gateway-1")
    again = Session(broker, "gateway-1")
    publish(probe, "sensors/probe-1/readings", "later")
    assert eventually(lambda: b"later" in again.heard)
    lost = b"waits" not in again.heard
    guesses = ["gateway-1-", "gateway-1-doctor", *(f"gateway-1-{rng.randbytes(8).hex()}" for _ in range(attempts - 2))]
    for guess in guesses:
        enter(broker, guess)
    assert eventually(lambda: secret.heard == {b"waits", b"later"})
    attack(
        "session-taken",
        attacker="device",
        attempt="connects under guesses of the gateway's client id, to throw it out and take what waits for it (seed 11)",
        outcome="the gateway stays, and gets every reading: its id has 64 random bits",
        attempts=len(guesses),
        accepted=secret.thrown_out,
        control="under its known id gateway.id the first attempt throws it out"
        + (", and what waits for it is thrown away by the access list" if lost else ""),
    )
    again.leave()
    secret.leave()
    probe.disconnect()
    probe.loop_stop()


def test_the_doctor_may_ask_what_it_asks(broker: FarmBroker) -> None:
    settings, gateway = mqtt(broker), broker.client("gateway-1")
    gateway.publish(status_topic("gateway-1"), "online", qos=1, retain=True).wait_for_publish(SECONDS)
    answers = Probe(settings, "gateway-1", tls.context(settings), ["sensors/+/readings"]).ask()
    gateway.loop_stop()
    assert (answers.is_complete, answers.refused_topics, answers.state("gateway-1")) == (True, [], "online")
    assert answers.version.startswith("mosquitto")
    assert "notAfter" in answers.certificate


def test_what_comes_while_the_gateway_is_away_waits_for_it_also_over_a_restart(broker: FarmBroker) -> None:
    heard, subscribed = Queue[bytes](), Queue[object]()
    gateway = broker.client("gateway-1", session=True)
    gateway.on_subscribe = lambda *_: subscribed.put(None)
    gateway.subscribe("sensors/+/readings", qos=1)
    subscribed.get(timeout=SECONDS)
    gateway.disconnect()
    gateway.loop_stop()
    probe = broker.client("probe-1")
    for number in range(3000):  # mosquitto's default keeps 1,000
        message = probe.publish("sensors/probe-1/readings", str(number), qos=1)
    message.wait_for_publish(SECONDS)
    probe.disconnect()
    probe.loop_stop()
    watch_once(broker)
    assert eventually(lambda: broker.log.read_text().count("running") == 2)
    back = broker.client("gateway-1", session=True, hear=lambda _client, _data, message: heard.put(message.payload))
    assert [int(heard.get(timeout=SECONDS)) for _ in range(3000)] == list(range(3000))
    back.loop_stop()


@pytest.mark.parametrize("folder", ["/a\nallow_anonymous true", "/a\rb"])
def test_no_setting_gets_a_second_line_into_the_configuration(folder: str) -> None:
    listeners = Listeners(address="0.0.0.0", port=8883, password_port=0, state=Path("/var/lib/mosquitto"))
    with pytest.raises(KeysError, match="cannot stand in mosquitto's configuration"):
        configuration(Path(folder), listeners)
