"""What is sent to harm: names, numbers, headers, texts, and clients that take their time. Each is refused, and nothing breaks."""

from __future__ import annotations

import csv
import io
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from dash.data.kept import Answer
from dash.data.viewer import Viewer
from dash.server.serving import PromptClients
from dash.server.sign_in import ThisMachine
from tests.dash.conftest import served, served_by
from tests.dash.farm import FarmWarehouse
from tests.dash.server.test_sign_in import SECRET, signed_in_by_a_proxy

HUGE = "9" * 5000
MARKUP = "\"><img src=x onerror=alert(1)>'=cmd|x"
PAGES = ("/", "/fields", "/fields/river", "/machines", "/machines/machine-pump", "/alerts")


def _get(url: str, path: str, *headers: str) -> bytes:
    """Sends a request as it stands, with each header as often as it is named, and returns the answer."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as line:
        line.sendall("\r\n".join([f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers, "", ""]).encode())
        return b"".join(iter(lambda: line.recv(65536), b""))


@pytest.mark.parametrize(
    "name", ["X-Forwarded-User: otto@farm.example", "x-forwarded-user: anna@farm.example", f"X-TinyBeam-Secret: {SECRET}"]
)
def test_a_header_that_came_twice_names_nobody(farm: FarmWarehouse, tmp_path: Path, name: str) -> None:
    one = (f"X-TinyBeam-Secret: {SECRET}", "X-Forwarded-User: anna@farm.example")
    with served(farm, signed_in_by_a_proxy(tmp_path)) as page:
        assert _get(page.url, "/", *one).startswith(b"HTTP/1.1 200")
        for headers in ((*one, name), (name, *one)):
            assert _get(page.url, "/", *headers).startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    "choice",
    [
        f"days={HUGE}",
        f"from={HUGE}",
        "from=0001-01-01T00:00%2B14:00",
        "to=0001-01-02",
        "to=9999-12-31T23:59-14:00",
        "from=1969-12-31&to=1970-01-02",
        "from=2026-05-01%00",
        "from[]=2026-05-01&days=%D9%A3%D9%A3%D9%A3%D9%A3%D9%A3",
    ],
)
@pytest.mark.parametrize("path", ["/fields/river", "/machines/machine-pump", "/alerts", "/export/field/river.csv"])
def test_a_number_or_a_time_that_no_calendar_knows_is_told_in_a_sentence(farm: FarmWarehouse, path: str, choice: str) -> None:
    with served(farm) as page:
        assert "cannot be read" in requests.get(f"{page.url}{path}?{choice}", timeout=30).text


@pytest.mark.parametrize(
    "path", ["/../dash/settings.py", "/static/../settings.py", "/static/%2e%2e/settings.py", "/static/..%5csettings.py"]
)
def test_no_path_leads_out_of_what_is_served(farm: FarmWarehouse, path: str) -> None:
    with served(farm) as page:
        assert _get(page.url, path).startswith(b"HTTP/1.1 404")


@pytest.mark.parametrize("path", ["/fields/", "/fields/river/", "//elsewhere.example/"])
def test_no_address_sends_anybody_elsewhere(farm: FarmWarehouse, path: str) -> None:
    with served(farm) as page:
        assert requests.get(page.url + path, timeout=30, allow_redirects=False).status_code == 404


@pytest.mark.parametrize(
    "host", ["127.0.0.1.elsewhere.example", "elsewhere.example", "127.0.0.1@elsewhere.example", "[::ffff:127.0.0.1]", ""]
)
def test_a_name_that_was_bound_anew_to_this_machine_is_refused(farm: FarmWarehouse, host: str) -> None:
    with served(farm) as page:
        assert requests.get(page.url, headers={"host": host}, timeout=30).status_code == 400


class Hostile(FarmWarehouse):
    """Names everything that people or gateways may name by what a browser or a spreadsheet would act on."""

    _FREE = frozenset(
        [
            "name",
            "site_name",
            "device_name",
            "crop",
            "soil",
            "message",
            "to_do",
            "labelled_by",
            "note",
            "why",
            "assumed",
            "fault",
            "label_before",
            "label",
        ]
    )

    def answer(self, *asked: Any) -> tuple[Answer, bool]:
        found, is_new = super().answer(*asked)
        return Answer(tuple(self._named(row) for row in found.rows), found.asked_time, found.bytes_read), is_new

    def _named(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self._hostile(key, value) for key, value in row.items()}

    def _hostile(self, key: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._named(each) for each in value]
        return MARKUP if key in self._FREE and value is not None else value


@pytest.mark.parametrize("path", PAGES)
def test_no_text_of_the_registry_of_a_device_or_of_a_person_becomes_markup(farm: FarmWarehouse, path: str) -> None:
    said = [{"answer": "seen", "time": farm.now, "labelled_by": "eve", "note": "x"}]
    with served(Hostile(farm.now, said=said)) as page:
        text = requests.get(page.url + path, timeout=30).text
    assert "<img" not in text
    assert "&lt;img" in text


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "\r=", "\n="])
def test_no_text_becomes_a_formula_of_a_spreadsheet(farm: FarmWarehouse, sign: str) -> None:
    class Named(Hostile):
        def _hostile(self, key: str, value: Any) -> Any:
            return f"{sign}1+1" if isinstance(value, str) else value

    with served(Named(farm.now)) as page:
        header, *lines = csv.reader(io.StringIO(requests.get(f"{page.url}/export/alerts.csv", timeout=30).text))
    texts = [cell for line in lines for name, cell in zip(header, line, strict=True) if name not in {"value", "said"} and "1+1" in cell]
    assert len(texts) > 5
    assert all(text.startswith("'") or text[0] not in "=+-@\t\r\n" for text in texts)


@contextmanager
def _hasty(farm: FarmWarehouse) -> Iterator[str]:
    class Hasty(PromptClients):
        head_seconds = 0.1

    with served_by(farm, lambda: farm.now, ThisMachine(Viewer()), Hasty) as page:
        yield page.url


@pytest.mark.parametrize("head", [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_who_does_not_ask_is_hung_up_on(farm: FarmWarehouse, head: bytes) -> None:
    with _hasty(farm) as url, socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10) as line:
        line.sendall(head)
        assert line.recv(1000) == b""


def test_who_asks_in_time_may_wait_for_the_answer(farm: FarmWarehouse) -> None:
    with _hasty(farm) as url, requests.Session() as session:
        assert [session.get(url, timeout=30).status_code for _ in range(3)] == [200, 200, 200]


def test_a_fault_of_the_page_is_said_without_its_innards(farm: FarmWarehouse) -> None:
    class Broken(FarmWarehouse):
        def answer(self, *asked: Any) -> tuple[Answer, bool]:
            raise RuntimeError("of the innards")

    with served(Broken(datetime.now(farm.now.tzinfo))) as page:
        answer = requests.get(page.url, timeout=30)
    assert answer.status_code == 500
    assert "It is a fault of the page" in answer.text
    assert "innards" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("there", "not_there"),
    [
        ("/export/field/river.csv", "/export/field/nobodys.csv"),
        ("/export/field_days/river.csv", "/export/field_days/nobodys.csv"),
        ("/export/machine/machine-pump.csv", "/export/machine/nobodys.csv"),
        ("/export/label_changes/machine-pump.csv", "/export/label_changes/nobodys.csv"),
        ("/alerts?site=mill", "/alerts?site=nobodys"),
    ],
)
def test_the_warehouse_is_asked_nothing_that_takes_longer_where_somebody_elses_name_is_right(
    farm: FarmWarehouse, there: str, not_there: str
) -> None:
    asked = []
    with served(farm, ThisMachine(Viewer(("hill",)))) as page:
        for path in (there, not_there):
            farm.asked.clear()
            answer = requests.get(page.url + path, timeout=30)
            text = answer.text.replace("site=mill", "site=nobodys")
            asked.append((answer.status_code, text, [name for name, _ in farm.asked]))
            assert all("river" not in str(values) and "pump" not in str(values) and "mill" not in str(values) for _, values in farm.asked)
    assert asked[0] == asked[1]
