"""The gateway's own page: what it shows of what the core was told, and to whom."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.gateway import Gateway
from edge.health import HealthStatus
from edge.page import server
from edge.page.page import Page
from edge.page.recent import MOST_DEVICES
from edge.store.store import Store
from lab.services.child import free_port
from program import logs
from program.settings import ConfigError
from tests.attack import Attack
from tests.edge.gateways import START, config, message

_HOSTILE = "<script>alert(1)</script>"


class Place:
    """A gateway, its page and a clock that stands until it is moved."""

    def __init__(self, folder: Path, **page: Any) -> None:
        self.now = START
        self._settings = config(folder, page={"port": free_port()} | page)
        self.page = Page(self._settings, lambda: self.now)
        self.store = Store(folder / "store.db", "gw-1", 16 << 20)
        self.open()
        self.page.start()

    def open(self) -> None:
        """Starts the core, as if anew."""
        self.gateway = Gateway(self._settings, self.store, self.now, watcher=self.page.recent)
        self.report()

    def report(self) -> None:
        self.page.report(HealthStatus(self.gateway.heartbeat(self.now)))

    def hear(self, device: str, **reading: Any) -> None:
        self.gateway.accept([message(device, {"time": self.now.isoformat(), **reading})], self.now)

    def go_on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.gateway.tick(self.now)
        self.report()

    def get(self, path: str = "/", **headers: str) -> tuple[int, str, http.client.HTTPResponse]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.page.port, timeout=10)) as connection:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer

    def close(self) -> None:
        self.page.stop()
        self.store.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


def moisture(value: float) -> dict[str, Any]:
    return {"values": {"moisture": value}}


def test_a_value_is_there_as_soon_as_it_is_stored_and_its_window_when_it_is_closed(place: Place) -> None:
    place.hear("d1", **moisture(0.31))
    shown = place.get("/now")[1]
    assert "d1" in shown
    assert "0.31" in shown
    assert "summed up until" not in shown
    for value in (0.32, 0.33):
        place.go_on(10)
        place.hear("d1", **moisture(value))
    place.go_on(20)
    shown = place.get("/now")[1]
    assert "0.33 m³/m³" in shown
    assert "summed up until 12:00:30" in shown
    assert "moisture in the last 3 windows: 0.31 to 0.33 m³/m³" in shown


def test_every_channel_is_shown_of_messages_that_are_stored_together(place: Place) -> None:
    apart = [{"temperature": 17.25}, {"moisture": 0.3}, {"moisture": 0.325}]
    place.gateway.accept([message("d1", {"values": values}) for values in apart], place.now)
    shown = place.get("/now")[1]
    assert "17.25" in shown
    assert "0.325" in shown
    assert "0.3 " not in shown


def test_a_threshold_says_what_to_do_until_it_is_over_and_after_a_restart_too(place: Place) -> None:
    place.hear("d1", **moisture(0.1))
    assert "dry: moisture is too low, 0.1" in place.get("/now")[1]
    place.open()
    assert "dry: " in place.get("/now")[1]
    place.go_on(1)
    place.hear("d1", **moisture(0.4))
    assert "dry: " not in place.get("/now")[1]


def test_what_is_silent_is_never_called_fine(place: Place) -> None:
    for _ in range(5):
        place.hear("d1", **moisture(0.4))
        place.go_on(60)
    assert "silent" not in place.get("/now")[1]
    assert "Not heard" not in place.get("/now")[1]
    place.go_on(200)
    shown = place.get("/now")[1]
    assert "d1: Not heard for 4 min" in shown
    assert "and silent since" in shown


def test_a_device_that_died_before_a_restart_is_missed(place: Place) -> None:
    place.hear("d1", **moisture(0.4))
    for _ in range(60):
        place.go_on(1800)
        place.hear("d1", **moisture(0.4))
    place.go_on(30)
    place.page.recent.forgotten(["d1"])
    assert "d1" not in place.get("/now")[1]
    place.open()
    assert "d1: Not heard since this gateway started" in place.get("/now")[1]


def test_rejects_and_errors_are_shown_newest_first(place: Place) -> None:
    place.hear("d1", values={"moisture": "wet"})
    logs.get("edge.test").error("the disk is slow")
    shown = place.get("/now")[1]
    assert shown.index("the disk is slow") < shown.index("set aside, d1")


def test_a_page_without_a_report_says_that_the_gateway_starts(tmp_path: Path) -> None:
    page = Page(config(tmp_path, page={"port": free_port()}), lambda: START)
    try:
        assert "starts" in page.content()
    finally:
        page.start()
        page.stop()


def test_names_that_devices_choose_are_text(place: Place, attack: Attack) -> None:
    place.gateway.accept([message("d1", {"values": {_HOSTILE: 1.0}}), message(_HOSTILE, {"values": {"moisture": 1}})], place.now)
    place.go_on(30)
    shown = place.get("/")[1]
    accepted = int(_HOSTILE in shown)
    attack(
        "page-hostile-names",
        attacker="device",
        attempt="names a channel and itself as a script",
        outcome="the gateway's page shows it as text",
        control="without escape() a browser runs it",
        attempts=2,
        accepted=accepted,
    )
    assert "&lt;script&gt;" in shown


def test_the_page_is_bounded_whatever_is_heard(place: Place) -> None:
    for number in range(2 * MOST_DEVICES):
        place.hear(f"d{number}", values={f"c{channel}": 1.0 for channel in range(64)})
    shown = place.get("/")[1]
    assert shown.count("<h3>") == MOST_DEVICES
    assert "No more than 200 devices are shown" in shown
    assert len(shown) < 1_000_000


def test_every_answer_forbids_what_the_page_does_not_need(place: Place) -> None:
    for path in ("/", "/now", "/page.css", "/page.js", "/nowhere"):
        _, _, answer = place.get(path)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert place.get("/nowhere")[0] == 404


def test_without_a_password_nobody_is_answered_who_came_under_another_name(place: Place, attack: Attack) -> None:
    hosts = ["evil.example", "evil.example:9465", "127.0.0.1.evil.example", "192.0.2.7", "", "[2001:db8::1]:9465"]
    accepted = sum(place.get("/now", Host=host)[0] == 200 for host in hosts)
    attack(
        "page-dns-rebinding",
        attacker="network",
        attempt="lets a name of its own lead to the gateway's page, which a browser beside it then reads",
        outcome="answered only by the machine's own name or address",
        control="a server that does not look at Host answers all of them",
        attempts=len(hosts),
        accepted=accepted,
    )
    for host in ("localhost", "127.0.0.1:9465", "[::1]:9465", "127.0.0.1"):
        assert place.get("/now", Host=host)[0] == 200


def basic(password: str, user: str = "anna") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_with_a_password_only_who_knows_it_sees_anything(tmp_path: Path, attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "WRONG_PASSWORD_SECONDS", 0.0)
    (tmp_path / "page.password").write_text("grün und tief\n")
    place = Place(tmp_path, password_file="page.password")
    try:
        tries = [
            "",
            basic(""),
            basic("grün und tie"),
            basic("grün und tief "),
            basic("anna"),
            "Basic ***",
            "Bearer grün",
            basic("x" * 5000),
        ]
        paths = ["/", "/now", "/page.js"]
        codes = [place.get(path, **({"Authorization": each} if each else {}))[0] for each in tries for path in paths]
        attack(
            "page-wrong-password",
            attacker="stranger",
            attempt="looks at the gateway's page without its password, or with another",
            outcome="401, and nothing of the page",
            control="a comparison up to the shorter of the two lets in who gives none",
            attempts=len(codes),
            accepted=sum(code == 200 for code in codes),
        )
        assert place.get("/now", Authorization=basic("grün und tief"), Host="barn.local")[0] == 200
    finally:
        place.close()


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ({"host": "10.0.0.2"}, "set tls_certificate and tls_key"),
        ({"host": "10.0.0.2", "tls_certificate": "c.pem", "tls_key": "k.pem"}, "set password_file"),
        ({"tls_certificate": "c.pem"}, "tls_certificate and tls_key go together"),
    ],
)
def test_beyond_this_machine_it_needs_tls_and_a_password(tmp_path: Path, page: dict[str, str], sentence: str) -> None:
    for name in ("c.pem", "k.pem"):
        (tmp_path / name).write_text("-")
    with pytest.raises(ConfigError, match=sentence):
        config(tmp_path, page={"port": 9465} | page)


def test_a_short_password_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("secret\n")
    with pytest.raises(ConfigError, match="at least 8 characters") as raised:
        Page(config(tmp_path, page={"port": free_port(), "password_file": "p"}), lambda: START)
    assert "secret" not in str(raised.value)


def test_looking_on_costs_the_core_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reading is two steps of a dictionary: no matter how many there are of a device, it is looked at once in a batch."""
    looked = list[str]()
    place = Place(tmp_path)
    try:
        device = type(place.page.recent)._device
        monkeypatch.setattr(type(place.page.recent), "_device", lambda recent, name: looked.append(name) or device(recent, name))
        times = [(START - timedelta(seconds=second)).isoformat() for second in range(500)]
        place.gateway.accept([message("d1", *({"time": time, "values": {"moisture": 0.4}} for time in times))], START)
        assert looked == ["d1"]
    finally:
        place.close()
