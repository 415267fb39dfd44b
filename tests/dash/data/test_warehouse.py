"""Answers are kept for some seconds, shared by who asks alike, and never shown to another viewer; a failure is a sentence."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from google.api_core.exceptions import BadRequest, ServiceUnavailable

from dash.data import export
from dash.data.kept import MOST_ANSWERS, MOST_ROWS_KEPT, Answer, Kept
from dash.data.span import Span
from dash.data.viewer import Viewer
from dash.data.warehouse import TooLong, Unreachable, Warehouse, queries
from tests.waiting import eventually

START = datetime(2026, 5, 1, 12, 0, 7, tzinfo=UTC)
ROWS = [{"site_id": "north"}, {"site_id": "south"}, {"site_id": None}]


class Rows(list[dict[str, Any]]):
    total_bytes_processed: int | None = None


class Client:
    """Answers every query alike and counts; `failure` is raised instead; `until` and `together` hold an answer back.

    It says that it read `bytes_read`.
    """

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.failure: Exception | None = None
        self.until = threading.Event()
        self.until.set()
        self.together: threading.Barrier | None = None
        self.bytes_read: int | None = 1000
        self.rows = ROWS

    def query_and_wait(self, text: str, *, job_config: Any, max_results: int, **_: Any) -> Rows:
        self.asked.append({parameter.name: getattr(parameter, "value", None) for parameter in job_config.query_parameters})
        assert self.until.wait(10)
        if self.together:
            self.together.wait()
        if self.failure:
            raise self.failure
        rows = Rows(self.rows[:max_results])
        rows.total_bytes_processed = self.bytes_read
        return rows


class Clock:
    now = START
    looks = 0

    def __call__(self) -> datetime:
        self.looks += 1
        return self.now


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def warehouse(client: Client, clock: Clock) -> Warehouse:
    return Warehouse(client, 30.0, clock)


def test_an_answer_is_kept_for_its_seconds(warehouse: Warehouse, client: Client, clock: Clock) -> None:
    for seconds in (0, 2, 22):
        clock.now = START + timedelta(seconds=seconds)
        questions = warehouse.asked_by(Viewer())
        questions.query("sites", moment=clock.now)
        assert questions.bytes_read == (0 if seconds else 1000)
        assert questions.oldest == START
    clock.now = START + timedelta(seconds=30)
    warehouse.asked_by(Viewer()).query("sites", moment=clock.now)
    assert len(client.asked) == 2


def test_who_takes_an_older_answer_gets_it_and_the_others_ask_anew(warehouse: Warehouse, client: Client, clock: Clock) -> None:
    warehouse.asked_by(Viewer()).query("sites", moment=START)
    clock.now = START + timedelta(minutes=4)
    older = warehouse.asked_by(Viewer(), timedelta(minutes=5))
    older.query("sites", moment=START)
    assert (older.oldest, len(client.asked)) == (START, 1)
    warehouse.asked_by(Viewer()).query("sites", moment=START)
    assert len(client.asked) == 2


def test_times_are_taken_to_whole_multiples(warehouse: Warehouse, client: Client) -> None:
    warehouse.asked_by(Viewer()).query("sites", moment=START)
    assert client.asked[0]["moment"] == START.replace(second=0)


def test_another_viewer_is_asked_for_anew_and_sees_its_own_rows_alone(warehouse: Warehouse, client: Client) -> None:
    assert len(warehouse.asked_by(Viewer()).query("sites", moment=START)) == 3
    assert warehouse.asked_by(Viewer(("north",))).query("sites", moment=START) == ({"site_id": "north"},)
    assert warehouse.asked_by(Viewer(())).query("sites", moment=START) == ()
    assert len(client.asked) == 3


def test_who_asks_the_same_at_once_is_answered_once(warehouse: Warehouse, client: Client) -> None:
    client.until.clear()
    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(lambda: warehouse.asked_by(Viewer()).query("sites", moment=START)) for _ in range(4)]
        client.until.set()
        assert {len(answer.result(10)) for answer in answers} == {3}
    assert len(client.asked) == 1


def test_who_waits_for_a_failure_fails_with_it_and_does_not_ask_again(warehouse: Warehouse, client: Client, clock: Clock) -> None:
    client.until.clear()
    client.failure = requests.exceptions.ReadTimeout("timed out")
    script, values = queries()["devices"], {"moment": START, "sites": [], "all_sites": True}
    asked = [warehouse.begin(script, values, timedelta(minutes=1)) for _ in range(4)]
    assert eventually(lambda: clock.looks == 4 + 1)  # and who asks notes when
    client.until.set()
    assert {type(each.exception(10)) for each in asked} == {Unreachable}
    assert len(client.asked) == 1


def test_what_was_asked_before_something_was_written_is_not_shown_after_it(warehouse: Warehouse, client: Client) -> None:
    client.until.clear()
    script, values = queries()["devices"], {"moment": START, "sites": [], "all_sites": True}
    before = warehouse.begin(script, values, timedelta(minutes=1))
    assert eventually(lambda: len(client.asked) == 1)
    warehouse.forget()
    after = warehouse.begin(script, values, timedelta(minutes=1))
    assert eventually(lambda: len(client.asked) == 2)
    client.until.set()
    assert (before.result(10)[1], after.result(10)[1]) == (True, True)


def test_a_warehouse_that_is_away_is_a_sentence_and_asked_again(warehouse: Warehouse, client: Client) -> None:
    client.failure = requests.exceptions.ConnectionError("connection refused")
    with pytest.raises(Unreachable, match="does not answer"):
        warehouse.asked_by(Viewer()).query("sites", moment=START)
    client.failure = None
    assert warehouse.asked_by(Viewer()).query("sites", moment=START)


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (BadRequest("division by zero: 4711 of south"), "refuses to answer"),
        (ServiceUnavailable("http://host/south"), "does not answer"),
        (requests.exceptions.ConnectionError("http://host/projects/south refused"), "does not answer"),
    ],
)
def test_words_of_the_service_are_for_the_log_as_they_may_hold_anything_of_any_site(
    warehouse: Warehouse, client: Client, caplog: pytest.LogCaptureFixture, failure: Exception, sentence: str
) -> None:
    client.failure = failure
    with pytest.raises(Unreachable, match=sentence) as told:
        warehouse.asked_by(Viewer(("north",))).query("sites", moment=START)
    assert "south" not in str(told.value)
    assert "south" in caplog.text


def test_answers_are_kept_within_bounds_whatever_is_asked() -> None:
    kept, rows = Kept(), ({"site_id": "north"},) * 30_000
    for number in range(20):
        kept.put(number, Answer(rows, START, None))
    found = [number for number in range(20) if kept.get(number, START - timedelta(1))]
    assert found == list(range(20 - MOST_ROWS_KEPT // 30_000, 20))
    kept.put("more", Answer(({},) * (MOST_ROWS_KEPT + 1), START, None))
    assert kept.get("more", START - timedelta(1)) is None
    for number in range(MOST_ANSWERS + 1):
        kept.put(number, Answer((), START, None))
    assert kept.get(0, START - timedelta(1)) is None
    assert kept.get(1, START - timedelta(1))


def test_a_file_of_too_many_rows_is_refused_not_cut(warehouse: Warehouse, client: Client) -> None:
    client.rows = [{"site_id": "north", "alert_id": "a"}] * 150_000
    with pytest.raises(TooLong, match="fewer days"):
        next(export.rows(warehouse.asked_by(Viewer()), "alerts", Span(START - timedelta(days=1), START)))
    with pytest.raises(TooLong):
        warehouse.asked_by(Viewer(("north",))).query("sites", moment=START)


def test_what_a_request_began_and_did_not_want_is_not_asked_after_it(warehouse: Warehouse, client: Client) -> None:
    client.until.clear()
    first = [warehouse.asked_by(Viewer()) for _ in range(20)]
    for number, questions in enumerate(first):
        questions.ahead("sites", moment=START + timedelta(hours=number))
        questions.close()
    client.until.set()
    warehouse.begin(queries()["devices"], {"moment": START, "sites": [], "all_sites": True}, timedelta()).result(10)
    assert len(client.asked) < 20


def test_a_parameter_that_is_missing_is_named(warehouse: Warehouse) -> None:
    with pytest.raises(KeyError, match="moment"):
        warehouse.asked_by(Viewer()).query("sites")


def test_what_is_asked_ahead_is_asked_at_once_and_counts_for_who_began_it(warehouse: Warehouse, client: Client) -> None:
    client.together = threading.Barrier(2, timeout=10)
    questions = warehouse.asked_by(Viewer())
    questions.ahead("sites", "devices", moment=START)
    assert (len(questions.query("sites", moment=START)), len(questions.query("devices", moment=START))) == (3, 3)
    assert (len(client.asked), questions.bytes_read, questions.oldest) == (2, 2000, START)


def test_what_fails_ahead_is_told_by_the_query(warehouse: Warehouse, client: Client) -> None:
    client.failure = requests.exceptions.ConnectionError("connection refused")
    questions = warehouse.asked_by(Viewer())
    questions.ahead("sites", moment=START)
    with pytest.raises(Unreachable, match="does not answer"):
        questions.query("sites", moment=START)
    assert len(client.asked) == 1


def test_a_viewer_is_bound_ahead_as_by_a_query(warehouse: Warehouse, client: Client) -> None:
    questions = warehouse.asked_by(Viewer(("north",)))
    questions.ahead("sites", moment=START)
    assert questions.query("sites", moment=START) == ({"site_id": "north"},)
    with pytest.raises(TypeError, match="takes no all_sites"):
        questions.ahead("sites", moment=START, all_sites=True)


def test_bytes_that_the_service_does_not_say_are_not_known(warehouse: Warehouse, client: Client) -> None:
    client.bytes_read = None
    questions = warehouse.asked_by(Viewer())
    questions.query("sites", moment=START)
    assert (questions.bytes_read, questions.bytes_read_by_all) == (None, None)
