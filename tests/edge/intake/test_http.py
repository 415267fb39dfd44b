"""Readings over HTTP: answered by 200 when they are on disk, refused in a sentence, and bounded whatever a sender does."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge import loop as loop_module
from edge.config import ConfigError
from edge.gateway import Gateway
from edge.intake.client import Intake
from edge.intake.http import intake as http_intake
from edge.intake.http import request
from edge.intake.http.findings import of_http
from edge.intake.http.intake import HttpIntake, _Post
from edge.intake.http.pace import Pace
from edge.intake.http.refusal import Refused
from edge.intake.http.tokens import Tokens
from edge.intake.reader import MqttMessage
from edge.intake.stream import Incoming
from edge.loop import Loop
from edge.serving import requests
from edge.serving.server import Endpoint, Server
from edge.store.store import Store
from lab.services.child import free_port
from tests.edge.gateways import START, config
from tests.edge.shapes import described
from tests.waiting import eventually

trustme = pytest.importorskip("trustme", reason="trustme is not installed (pip install trustme)")
D1, ALL, OTHER = "token-of-d1-000000", "token-of-all-00000", "token-of-x-0000000"
READING = json.dumps({"time": START.timestamp(), "seq": 1, "values": {"moisture": 0.3}}).encode()


class Uplink:
    state, day = "offline", None

    def wake(self) -> None:
        """Nothing is sent."""


@dataclass
class Place:
    """A gateway's core that is driven by a thread, and where it listens."""

    store: Store
    port: int = 0
    full: bool = False
    tls: ssl.SSLContext | None = None
    intake: HttpIntake | None = None

    def post(self, target: str = "d1", body: bytes = READING, token: str = D1, **headers: str) -> tuple[int, Mapping[str, str], str]:
        """Returns status, headers and the sentence."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(self.connect()) as connection:
            connection.request("POST", f"/v1/readings/{target}", body, ({"Authorization": f"Bearer {token}"} if token else {}) | named)
            answer = connection.getresponse()
            content = json.loads(answer.read())
        return answer.status, dict(answer.headers), content.get("error", content.get("status"))

    def connect(self) -> http.client.HTTPConnection:
        if self.tls:
            return http.client.HTTPSConnection("localhost", self.port, timeout=10, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    @property
    def stored(self) -> int:
        return self.store.ledger().journaled

    def still_takes(self) -> bool:
        return self.post()[0] == 200


@contextmanager
def running(folder: Path, **changed: Any) -> Iterator[Place]:
    """Runs the core on what is posted, as edge.loop does, without a broker."""
    (folder / "tokens").write_text(f"# who may what\n{D1} d1\n{ALL} d* tank*\n{OTHER} x*\n")
    changed["http"] = {"port": free_port(), "tokens_file": "tokens"} | changed.get("http", {})
    settings = config(folder, mqtt={"commit_milliseconds": 1, "max_payload_bytes": 2000}, **changed)
    with ExitStack() as stack:
        place = Place(Store(folder / "store.db", "gw-1", 64 << 20), settings.http.port)
        stack.callback(place.store.close)
        stopping, source = threading.Event(), Intake(settings.mqtt, "gw-1", None, settings.subscriptions)
        loop = Loop(Gateway(settings, place.store, START), source, Uplink(), None, stopping)  # type: ignore[arg-type]
        place.intake = HttpIntake(settings, source.waiting, lambda: place.full)
        thread = threading.Thread(target=loop.run)
        thread.start()
        place.intake.start()
        stack.callback(thread.join, 10)
        stack.callback(stopping.set)
        stack.callback(place.intake.stop)
        yield place


@pytest.fixture(autouse=True)
def _quick_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "REST_SECONDS", 0.1)
    monkeypatch.setattr(loop_module, "TICK_SECONDS", 0.05)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running(tmp_path) as place:
        yield place


def test_what_is_answered_by_200_is_stored_before_and_counts_once(place: Place) -> None:
    assert place.post()[::2] == (200, "stored")
    assert place.stored == 1
    assert place.post()[0] == 200, "again, as after a lost answer"
    assert place.post("sensors/d1/readings", READING.replace(b'"seq": 1', b'"seq": 2'))[0] == 200
    assert place.stored == 2


def test_a_connection_carries_many_requests(place: Place) -> None:
    connection = place.connect()
    for number in range(5):
        body = READING.replace(b'"seq": 1', b'"seq": %d' % number)
        connection.request("POST", "/v1/readings/d1", body, {"Authorization": f"Bearer {D1}"})
        assert connection.getresponse().read() == b'{"status": "stored"}\n'
    connection.close()
    assert place.stored == 5


@pytest.mark.parametrize(
    ("status", "sentence", "asked"),
    [
        (401, "Authorization: Bearer TOKEN", {"token": ""}),
        (401, "Authorization: Bearer TOKEN", {"token": "token-of-nobody-000"}),
        (401, "Authorization: Bearer TOKEN", {"Authorization": f"Basic {D1}"}),
        (403, "do not speak for device d2", {"target": "d2"}),
        (403, "do not speak for device d1", {"token": OTHER}),
        (404, "for device x1", {"target": "x1", "token": OTHER}),
        (404, "no [[sensors]] of the gateway's configuration has the topic 'a/b'", {"target": "a/b"}),
        (404, "behind /v1/readings/ stands the device", {"target": ""}),
        (404, "behind /v1/readings/ stands the device", {"target": "d" * 2000}),
        (413, "at most the 2000 bytes of mqtt.max_payload_bytes", {"body": bytes(2001)}),
        (413, "at most the 2000 bytes of mqtt.max_payload_bytes", {"Content_Length": str(10**12)}),
        (400, "Content-Length is no number", {"Content_Length": "-5"}),
        (411, "send the body whole", {"Transfer_Encoding": "chunked"}),
        (415, "Content-Type application/x-www-form-urlencoded is none of", {"Content_Type": "application/x-www-form-urlencoded"}),
        (415, "gzip is for classes with [sensors.payload]", {"Content_Encoding": "gzip"}),
        (431, "at most 16384 bytes", {"X_Filler": "x" * 20_000}),
    ],
)
def test_a_request_that_is_not_taken_says_why_in_a_sentence(place: Place, status: int, sentence: str, asked: dict[str, Any]) -> None:
    answer, headers, text = place.post(**asked)
    assert (answer, sentence in text) == (status, True), text
    assert ("WWW-Authenticate" in headers) == (status == 401)
    assert place.stored == 0
    assert place.still_takes()
    assert place.intake
    assert place.intake.answers == {status: 1, 200: 1}


def test_another_method_is_refused(place: Place) -> None:
    connection = place.connect()
    connection.request("GET", "/v1/readings/d1")
    assert (answer := connection.getresponse()).status == 405
    assert json.loads(answer.read()) == {"error": "readings are posted: use POST"}
    connection.close()


def test_a_message_that_is_no_reading_is_stored_as_a_reject_and_answered_by_200(place: Place) -> None:
    assert place.post(body=b"not json")[0] == 200
    assert place.store.ledger().counters["readings_rejected"] == 1


def test_a_class_whose_messages_name_their_devices_wants_a_token_for_all_of_them(tmp_path: Path) -> None:
    tanks = {**described(topic="tanks", device="id", values="@"), "devices": ["tank*"]}
    body = json.dumps({"id": "tank1", "moisture": 0.3}).encode()
    with running(tmp_path, sensors=[tanks]) as place:
        status, _, sentence = place.post("tanks", body, token=D1)
        assert (status, sentence) == (403, "these credentials do not speak for every device of the class own")
        assert place.post("tanks", body, token=ALL)[0] == 200
        assert place.stored == 1


def test_while_the_store_is_full_it_answers_503_and_when_to_come_again(place: Place) -> None:
    place.full = True
    status, headers, sentence = place.post()
    assert (status, headers["Retry-After"], "no room" in sentence) == (503, "10", True)
    place.full = False
    assert place.still_takes()


def test_what_is_not_stored_in_time_is_answered_by_503(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_intake, "STORED_SECONDS", 0.0)
    assert place.post()[0] == 503
    monkeypatch.undo()
    assert place.still_takes()
    assert place.stored == 1, "it was stored all the same, and counts once"


def test_a_body_that_is_sent_only_when_it_is_asked_for_is_asked_for_or_refused(place: Place) -> None:
    for token, first in ((D1, b"HTTP/1.1 100 Continue\r\n\r\n"), ("nobody", b"HTTP/1.1 401 Unauthorized\r\n")):
        with socket.create_connection(("127.0.0.1", place.port), 10) as sender:
            head = f"POST /v1/readings/d1 HTTP/1.1\r\nAuthorization: Bearer {token}\r\nExpect: 100-continue\r\n"
            sender.sendall(f"{head}Content-Length: {len(READING)}\r\n\r\n".encode())
            assert sender.recv(len(first)) == first
            if token == D1:
                sender.sendall(READING)
                assert sender.recv(100).startswith(b"HTTP/1.1 200 OK")


def trickling(port: int, text: bytes) -> socket.socket:
    sender = socket.create_connection(("127.0.0.1", port), 10)
    sender.sendall(text)
    return sender


def test_who_trickles_is_cut_off_by_the_clock_and_not_by_the_byte(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "HEAD_SECONDS", 0.4)
    monkeypatch.setattr(request, "BODY_SECONDS", 0.4)
    body = f"POST /v1/readings/d1 HTTP/1.1\r\nAuthorization: Bearer {D1}\r\nContent-Length: 100\r\n\r\n".encode()
    senders = [trickling(place.port, text) for text in (b"P", b"POST / HTTP/1.1\r\nA: ", body)]
    begun, ends = time.monotonic(), list[float]()
    for sender in senders:
        sender.settimeout(0.05)
    while senders and time.monotonic() - begun < 10:
        for sender in list(senders):
            try:
                sender.sendall(b"x")
                over = not sender.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                over = True
            if over:
                ends.append(time.monotonic() - begun)
                senders.remove(sender)
                sender.close()
    assert len(ends) == 3
    assert max(ends) < 5
    assert place.still_takes()


def test_connections_are_bounded_in_all_and_from_one_address_and_go_on_when_some_end(tmp_path: Path) -> None:
    with running(tmp_path, http={"max_connections": 50, "max_connections_per_address": 5}) as place:
        idle = [socket.create_connection(("127.0.0.1", place.port), 10) for _ in range(30)]
        intake = place.intake
        assert intake
        assert eventually(lambda: intake.connections == 5)
        closed = [sender for sender in idle if is_closed(sender)]
        assert len(closed) >= 25
        assert threading.active_count() < 20
        for sender in idle:
            sender.close()
        assert eventually(lambda: intake.connections == 0)
        assert place.still_takes()


def test_a_server_that_can_take_no_connection_says_so_once_and_tries_again(caplog: pytest.LogCaptureFixture) -> None:
    server = Server(Endpoint("http", "127.0.0.1", 0, 64, 16), None, lambda *_: None)
    server._listener.close()
    server.start()
    assert eventually(lambda: "no connection can be taken" in caplog.text)
    server.stop()
    assert caplog.text.count("no connection can be taken") == 1


def is_closed(sender: socket.socket) -> bool:
    sender.settimeout(0.2)
    try:
        return not sender.recv(1)
    except TimeoutError:
        return False
    except OSError:
        return True


def test_one_token_makes_no_more_requests_than_it_may_and_the_others_go_on(tmp_path: Path) -> None:
    with running(tmp_path, http={"max_requests_per_minute": 30}) as place:
        answers = [place.post()[:2] for _ in range(5)]
        assert [status for status, _ in answers] == [200, 200, 200, 429, 429]
        assert 1 <= int(answers[-1][1]["Retry-After"]) <= 2
        assert place.post(token=ALL)[0] == 200


def test_a_pace_is_kept_over_any_time() -> None:
    pace, taken = Pace(60), 0
    for tick in range(6000):
        try:
            pace.take("one", tick / 10)
            taken += 1
        except Refused:
            continue
    assert 600 <= taken <= 606


def test_a_stop_answers_who_waits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = list[int]()
    assert place.intake
    monkeypatch.setattr(place.intake._waiting, "offer", lambda *_: True)
    sending = threading.Thread(target=lambda: answers.append(place.post()[0]))
    sending.start()
    intake = place.intake
    assert eventually(lambda: len(intake._posts) == 1)
    intake.stop()
    sending.join(10)
    assert answers == [503]


class Certified:
    """Files of a gateway and of devices, by one authority."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.authority = folder, trustme.CA()
        self.authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        self.renew(self.authority)

    def renew(self, authority: Any) -> None:
        own = authority.issue_cert("localhost", "127.0.0.1")
        own.private_key_pem.write_to_path(str(self.folder / "own.key"))
        own.cert_chain_pems[0].write_to_path(str(self.folder / "own.pem"))

    def device(self, name: str | None = None, trusts: Any = None, by: Any = None) -> ssl.SSLContext:
        context = ssl.create_default_context()
        (trusts or self.authority).configure_trust(context)
        if name:
            (by or self.authority).issue_cert("device.example", common_name=name).configure_cert(context)
        return context


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    return Certified(tmp_path)


@pytest.fixture
def secure(tmp_path: Path, certified: Certified) -> Iterator[Place]:
    files = {"tls_certificate": "own.pem", "tls_key": "own.key", "tls_client_ca": "ca.pem"}
    with running(tmp_path, http=files) as place:
        yield place


def test_a_certificate_speaks_for_the_device_that_it_names_and_a_token_needs_none(secure: Place, certified: Certified) -> None:
    secure.tls = certified.device("d1")
    assert secure.post(token="")[0] == 200
    assert secure.post("d2", token="")[0] == 403
    secure.tls = certified.device("d*")
    assert secure.post("d1", token="")[0] == 403, "a name is no pattern"
    secure.tls = certified.device()
    assert secure.post(token="")[0] == 401
    assert secure.post()[0] == 200


def test_a_certificate_of_another_authority_and_plain_http_do_not_come_in(secure: Place, certified: Certified) -> None:
    secure.tls = certified.device("d1", by=trustme.CA())
    with pytest.raises((ssl.SSLError, OSError, http.client.HTTPException)):
        secure.post(token="")
    secure.tls = None
    with pytest.raises((OSError, http.client.HTTPException)):
        secure.post()
    secure.tls = certified.device()
    assert secure.still_takes()


def test_a_renewed_certificate_is_shown_without_a_restart(secure: Place, certified: Certified) -> None:
    another = trustme.CA()
    secure.tls = certified.device(trusts=another)
    with pytest.raises(ssl.SSLError):
        secure.post()
    certified.renew(another)
    os.utime(certified.folder / "own.pem", ns=(1, 1))
    assert secure.still_takes()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("short d1", "line 1: a token has at least 16 characters"),
        ("# none\n" + D1, "line 2: behind the token must stand the devices"),
        (f"{D1} d1\n{D1} d2", "line 2: this token stands in the file already"),
    ],
)
def test_a_file_of_tokens_that_cannot_be_meant_is_refused_by_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "tokens").write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        Tokens(tmp_path / "tokens")


def test_the_doctor_says_whether_it_listens_until_when_its_certificate_is_valid_and_how_many_may_post(
    secure: Place, certified: Certified, tmp_path: Path
) -> None:
    files = {"port": secure.port, "tokens_file": "tokens", "tls_certificate": "own.pem", "tls_key": "own.key"}
    settings = config(tmp_path, http=files)
    found = {finding.name: finding for finding in of_http(settings, datetime.now(UTC), runs_here=True)}
    assert (found["http"].status, f"127.0.0.1:{secure.port} answers; tokens that may post readings: 3" in found["http"].text) == (
        "ok",
        True,
    )
    assert "http.tls_certificate" in found["certificate"].text
    [taken] = of_http(config(tmp_path, http=files | {"tls_certificate": None, "tls_key": None}), datetime.now(UTC), runs_here=False)
    assert (taken.status, "Address already in use" in taken.text) == ("fail", True)
    (tmp_path / "tokens").write_text("short d1")
    assert [finding.status for finding in of_http(config(tmp_path, http=files), datetime.now(UTC), runs_here=True)] == ["fail"]


class Holding:
    """A broker that may hold messages from earlier."""

    def may_hold(self, _now: float) -> bool:
        return True


def test_what_was_posted_never_waited_in_the_broker(tmp_path: Path) -> None:
    settings = config(tmp_path, mqtt={"commit_milliseconds": 0})
    source = Intake(settings.mqtt, "gw-1", None, settings.subscriptions)
    source._backlog = Holding()  # type: ignore[assignment]
    source.waiting.put([Incoming(MqttMessage("t", b""), 1, _Post())])
    assert [each.message.queued for each in source.take(1.0)] == [False]
