"""Answers are kept for some seconds, shared by who asks alike, and never shown to another viewer; a failure is a sentence."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from dash.data.viewer import Viewer
from dash.data.warehouse import Unreachable, Warehouse

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

    def query_and_wait(self, text: str, *, job_config: Any, **_: Any) -> Rows:
        self.asked.append({parameter.name: getattr(parameter, "value", None) for parameter in job_config.query_parameters})
        assert self.until.wait(10)
        if self.together:
            self.together.wait()
        if self.failure:
            raise self.failure
        rows = Rows(ROWS)
        rows.total_bytes_processed = self.bytes_read
        return rows


class Clock:
    now = START

    def __call__(self) -> datetime:
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


def test_a_warehouse_that_is_away_is_a_sentence_and_asked_again(warehouse: Warehouse, client: Client) -> None:
    client.failure = requests.exceptions.ConnectionError("connection refused")
    with pytest.raises(Unreachable, match="does not answer: connection refused"):
        warehouse.asked_by(Viewer()).query("sites", moment=START)
    client.failure = None
    assert warehouse.asked_by(Viewer()).query("sites", moment=START)


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
    with pytest.raises(Unreachable, match="connection refused"):
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
