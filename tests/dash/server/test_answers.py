"""What people see and say over the wire: no browser, the whole application."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
import requests

from dash.data.viewer import Viewer
from dash.server.sign_in import Person, ThisMachine
from tests.dash.conftest import Labels, served
from tests.dash.farm import FarmWarehouse

OWN = {"sec-fetch-site": "same-origin"}
PAGES = ("/", "/fields", "/fields/river", "/machines", "/machines/machine-pump", "/alerts")


@dataclass
class Client:
    """Asks one page's server; follows nothing."""

    url: str
    labels: Labels

    def get(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        return requests.get(self.url + path, headers=headers, timeout=30, allow_redirects=False)

    def post(self, path: str, data: dict[str, str], headers: dict[str, str]) -> requests.Response:
        return requests.post(self.url + path, data=data, headers=headers, timeout=30, allow_redirects=False)


@contextmanager
def _client(farm: FarmWarehouse, viewer: Viewer | None = None, *, answers: bool = True) -> Iterator[Client]:
    viewer = viewer or Viewer()
    sign_in = ThisMachine(viewer) if answers else lambda _: Person("otto", viewer, answers=False)
    with served(farm, sign_in) as page:
        yield Client(page.url, page.labels)


def _alert(farm: FarmWarehouse) -> str:
    of_all_time = {"from_time": farm.now.replace(year=2000), "to_time": farm.now}
    rows = farm.asked_by(Viewer()).query("alerts", **of_all_time, site_id="", open_alone=True, most=9)
    return str(rows[0]["alert_id"])


def test_an_answer_to_an_open_alert_is_kept_and_thanked_for(farm: FarmWarehouse) -> None:
    with _client(farm) as client:
        answer = client.post("/alerts/answer", data={"alert": _alert(farm), "answer": "replaced"}, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts?noted=1")
    assert [(label.alert_id, label.answer) for label in client.labels.kept] == [(_alert(farm), "replaced")]


@pytest.mark.parametrize(("signed_in", "form", "by"), [(None, "Ada", "Ada"), (None, " ", None), ("otto", "Ada", "otto")])
def test_who_looks_after_an_alert_is_who_signed_in_or_the_name_that_they_gave(
    farm: FarmWarehouse, signed_in: str | None, form: str, by: str | None
) -> None:
    with served(farm, lambda _: Person(signed_in, Viewer(), answers=True)) as page:
        client = Client(page.url, page.labels)
        answer = client.post("/alerts/answer", data={"alert": _alert(farm), "answer": "seen", "by": form}, headers=OWN)
    assert answer.status_code == 303
    assert [(label.answer, label.labelled_by) for label in page.labels.kept] == [("seen", by)]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_begins_ahead_what_it_then_asks_and_nothing_else(farm: FarmWarehouse, path: str) -> None:
    with _client(farm) as client:
        assert client.get(path).status_code == 200
    assert {"sites", "gateways"} <= {name for name, _ in farm.begun}
    assert [each for each in farm.begun if each not in farm.asked] == []


def test_who_looks_after_it_stands_at_what_needs_doing_and_it_stays_open(farm: FarmWarehouse) -> None:
    with _client(farm) as client:
        assert "Nobody looks after it yet" in client.get("/").text
    farm.said = [{"answer": "seen", "time": farm.now - timedelta(minutes=5), "labelled_by": by, "note": None} for by in ("Ada", None)]
    with _client(farm) as client:
        pages = [client.get(path).text for path in ("/", "/alerts")]
    assert all("Stop and look at Pump" in pages[0] and "Ada and somebody look after it, since" in page for page in pages)
    assert "1 alert is open" in pages[1]


@pytest.mark.parametrize(
    ("viewer", "answers", "headers", "fields"),
    [
        (Viewer(("river",)), True, OWN, {}),
        (Viewer(), False, OWN, {}),
        (Viewer(), True, {"sec-fetch-site": "cross-site"}, {}),
        (Viewer(), True, {"origin": "https://elsewhere.example"}, {}),
        (Viewer(), True, OWN, {"answer": "irrigated_mm", "amount": "9"}),
        (Viewer(), True, OWN, {"answer": "eaten"}),
        (Viewer(), True, OWN, {"alert": "bearing-fails:machine-pump:1"}),
        (Viewer(), True, OWN, {"alert": "x" * 3000}),
    ],
)
def test_nothing_is_kept_of_who_may_not_answer_or_of_what_is_no_answer(
    farm: FarmWarehouse, viewer: Viewer, answers: bool, headers: dict[str, str], fields: dict[str, str]
) -> None:
    with _client(farm, viewer, answers=answers) as client:
        answer = client.post("/alerts/answer", data={"alert": _alert(farm), "answer": "done"} | fields, headers=headers)
    assert answer.status_code in {400, 403}
    assert client.labels.kept == []


@pytest.mark.parametrize("path", PAGES)
def test_a_viewer_of_one_site_finds_nothing_of_another(farm: FarmWarehouse, path: str) -> None:
    with _client(farm, Viewer(("hill",))) as client:
        text = client.get(path).text
    assert "River" not in text
    assert "Pump" not in text
    assert "gateway mill" not in text.lower()


def test_what_is_silent_for_a_week_is_never_called_fine(farm: FarmWarehouse) -> None:
    farm.silent = timedelta(days=7)
    with _client(farm) as client:
        text = client.get("/").text
    assert "Gateway north has been silent for 7 days" in text
    assert "Hill Field was not heard for 7 days" in text
    assert "no water needed" not in text


@pytest.mark.parametrize("path", PAGES)
def test_a_warehouse_that_is_away_is_said_and_nothing_is_shown(farm: FarmWarehouse, path: str) -> None:
    farm.away = True
    with _client(farm) as client:
        answer = client.get(path)
    assert answer.status_code == 503
    assert "The warehouse is away" in answer.text
    assert "Field" not in answer.text.partition("<main")[2]


def test_an_empty_warehouse_says_what_is_missing(farm: FarmWarehouse) -> None:
    farm.bare = True
    with _client(farm) as client:
        assert "No gateway has been heard yet" in client.get("/").text
        assert "no site that you may see" in client.get("/").text
        assert "No field is known yet" in client.get("/fields").text


@pytest.mark.parametrize("choice", ["days=0", "days=x", "days=99999", "from=nonsense", "from=2026-05-02&to=2026-05-01", "from=1900-01-01"])
def test_an_address_that_cannot_be_read_is_told_in_a_sentence(farm: FarmWarehouse, choice: str) -> None:
    with _client(farm) as client:
        answer = client.get(f"/fields/river?{choice}")
    assert answer.status_code == 400
    assert "cannot be read" in answer.text


def test_a_file_is_lines_of_csv_and_another_is_none(farm: FarmWarehouse) -> None:
    with _client(farm) as client:
        file = client.get("/export/field/river.csv?days=1")
        assert client.get("/export/secrets.csv").status_code == 404
    assert file.headers["content-type"].startswith("text/csv")
    header, *lines = file.text.splitlines()
    assert header == "site_id,time,mean,low,high"
    assert len(lines) == 24
    assert all(line.startswith("river,") for line in lines)


def test_another_host_and_a_proxy_are_refused(farm: FarmWarehouse) -> None:
    with _client(farm) as client:
        assert client.get("/", headers={"host": "rebound.example"}).status_code == 400
        assert client.get("/", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 403


def test_a_page_may_run_no_script_but_its_own(farm: FarmWarehouse) -> None:
    with _client(farm) as client:
        policy = client.get("/").headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
