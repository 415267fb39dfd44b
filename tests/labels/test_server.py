"""A link's answer is taken from whoever presses its button, and nothing else is."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from labels.server import answer_server
from labels.stores import Store
from schemas.answers import AnswerLink
from schemas.records import Answer, Label
from tests.attack import Attack, number

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NOW = datetime(2026, 5, 2, 12, tzinfo=UTC)
ALERT = "dry:north:1777636800000000"
DAY = timedelta(days=1)


class Kept:
    """Keeps labels in memory; told to, it fails."""

    def __init__(self) -> None:
        self.labels: list[Label] = []
        self.fails = False

    def add(self, labels: Sequence[Label]) -> None:
        if self.fails:
            raise OSError("no space left")
        self.labels += labels


@contextmanager
def serving(store: Store) -> Iterator[str]:
    server = answer_server(store, KEY, ("127.0.0.1", 0), lambda: NOW)
    with server.running():
        yield f"http://127.0.0.1:{server.server_port}/answers/"


def fetched(url: str, form: dict[str, str] | None = None) -> tuple[int, str]:
    data = None if form is None else urlencode(form).encode()
    try:
        with urllib.request.urlopen(url, data, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def token(answer: Answer = Answer.DONE, *, alert_id: str = ALERT, expires: datetime = NOW + DAY, key: bytes = KEY) -> str:
    return AnswerLink(alert_id, answer, expires).token(key)


def test_a_look_asks_and_a_press_of_the_button_tells() -> None:
    kept = Kept()
    with serving(kept) as url:
        status, page = fetched(url + token())
        assert (status, kept.labels) == (200, [])
        assert "It is done." in page
        assert '<form method="post">' in page
        assert fetched(url + token(), {}) == (200, fetched(url + token(), {})[1])
    assert {label.label_id for label in kept.labels} == {kept.labels[0].label_id}
    assert (kept.labels[0].answer, kept.labels[0].alert_id) == ("done", ALERT)


def test_water_is_told_with_its_amount() -> None:
    kept = Kept()
    with serving(kept) as url:
        assert 'name="amount"' in fetched(url + token(Answer.IRRIGATED))[1]
        assert fetched(url + token(Answer.IRRIGATED), {"amount": "12,5"})[0] == 200
        for amount in ("", "much", "-3", "nan"):
            assert fetched(url + token(Answer.IRRIGATED), {"amount": amount})[0] == 400
        assert fetched(url + token(Answer.IRRIGATED), {"amount": "1" * 2000})[0] == 400
    assert [label.amount for label in kept.labels] == [12.5]


def test_who_looks_after_an_alert_may_say_a_name() -> None:
    kept = Kept()
    with serving(kept) as url:
        assert 'name="by"' in fetched(url + token(Answer.SEEN))[1]
        for name in ("Zoë", " "):
            assert fetched(url + token(Answer.SEEN), {"by": name})[0] == 200
        assert fetched(url + token(Answer.SEEN), {"by": "two\nlines"})[0] == 400
    assert [(label.answer, label.labelled_by) for label in kept.labels] == [("seen", "Zoë"), ("seen", None)]


def test_an_answer_that_cannot_be_kept_is_not_thanked_for() -> None:
    kept = Kept()
    kept.fails = True
    with serving(kept) as url:
        status, page = fetched(url + token(), {})
    assert status == 503
    assert "Thank you" not in page


def test_what_others_chose_is_shown_as_text() -> None:
    with serving(Kept()) as url:
        page = fetched(url + token(alert_id="<script>alert(1)</script>:n:1"))[1]
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("name", "attempt", "attempts"),
    [
        ("forged", "makes a link by a key of its own", [token(key=OTHER_KEY)]),
        ("expired", "follows a link that is over", [token(expires=NOW), token(expires=NOW - DAY)]),
        (
            "altered",
            "puts another alert, answer or expiry before the signature of a link that it got",
            [
                f"{other.partition('.')[0]}.{token().partition('.')[2]}"
                for other in (token(Answer.FALSE_ALARM), token(alert_id="dry:south:1"), token(expires=NOW + 400 * DAY))
            ],
        ),
    ],
)
def test_a_link_that_the_notifier_did_not_make_answers_nothing(name: str, attempt: str, attempts: list[str], attack: Attack) -> None:
    kept = Kept()
    with serving(kept) as url:
        statuses = [fetched(url + each, {})[0] for each in attempts]
        taken = len(kept.labels)
        assert fetched(url + token(), {})[0] == 200
    attack(
        f"answer-{name}",
        attacker="network",
        attempt=f"{attempt}, and answers by it",
        outcome="refused, and no label is kept",
        attempts=len(attempts),
        accepted=taken,
        control=f"the link as it was made is taken, {len(kept.labels)} of 1",
    )
    assert statuses == [403] * len(attempts)


def test_a_link_that_is_followed_again_says_nothing_new(attack: Attack) -> None:
    kept, times = Kept(), number(20, 500)
    with serving(kept) as url:
        for _ in range(times):
            fetched(url + token(Answer.IRRIGATED), {"amount": "12"})
            fetched(url + token(Answer.IRRIGATED), {"amount": "90"})
            fetched(url + token(Answer.IRRIGATED))
    told = {label.label_id for label in kept.labels}
    attack(
        "answer-replayed",
        attacker="network",
        attempt="follows a link that was followed already, with another amount too, and lets previews follow it",
        outcome="one label: the first counts, and a look says nothing",
        attempts=3 * times - 1,
        accepted=len(told) - 1,
        control=f"{len(kept.labels)} rows were written, which the view shows as one",
    )
