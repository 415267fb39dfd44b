"""Notices have links by which people answer, if the settings say where."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from notify import wording
from notify.answers import Answerable
from notify.clock import Clock
from notify.config import ConfigError
from notify.notice import Notice
from notify.run import routed_receivers
from schemas.answers import AnswerLink, opened
from schemas.records import Answer
from tests.notify.alerts import NOW, alert, config

KEY = b"k" * 32


class Seen:
    """Keeps the last notice."""

    name = "seen"

    def send(self, notice: Notice) -> None:
        self.notice = notice


def linked(notice: Notice) -> Notice:
    seen = Seen()
    Answerable(seen, "https://farm.example/answers", KEY, timedelta(days=14), Clock(now=lambda: NOW)).send(notice)
    return seen.notice


def key_file(folder: Path, content: bytes = base64.b64encode(KEY)) -> Path:
    file = folder / "answers.key"
    file.write_bytes(content)
    file.chmod(0o600)
    return file


def test_a_link_says_which_alert_and_what() -> None:
    links = linked(Notice((alert(),))).links
    assert list(links) == [Answer.SEEN, Answer.DONE, Answer.FALSE_ALARM, Answer.IRRIGATED, Answer.REPLACED]
    for answer, url in links.items():
        assert url.startswith("https://farm.example/answers/")
        assert opened(url.rpartition("/")[2], KEY, NOW) == AnswerLink(alert().alert_id, answer, NOW + timedelta(days=14))


def test_what_is_over_is_not_asked_about_and_a_gateway_is_no_field() -> None:
    assert linked(Notice((alert(revision=1),))).links == {}
    assert list(linked(Notice((replace(alert(), site_id=None, device_id=None),))).links) == [Answer.SEEN, Answer.DONE, Answer.FALSE_ALARM]


def test_a_text_has_the_links_and_its_key_stays_the_same() -> None:
    plain = Notice((alert(),))
    notice = linked(plain)
    assert f"Is it a false alarm? {notice.links[Answer.FALSE_ALARM]}" in wording.text(notice)
    assert all(link in wording.chat(notice) for link in notice.links.values()), "a chat escapes nothing in them"
    assert notice.key == plain.key


def test_receivers_have_links_where_the_settings_say_so(tmp_path: Path) -> None:
    key_file(tmp_path)
    answers = {"url": "https://farm.example/answers", "key_file": "answers.key"}
    assert isinstance(routed_receivers(config(tmp_path, answers=answers), Clock())[0], Answerable)
    assert not isinstance(routed_receivers(config(tmp_path), Clock())[0], Answerable)


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"url": "https://farm.example"}, r"answers: url and key_file go together|answers\.url and key_file go together"),
        ({"url": "http://farm.example", "key_file": "answers.key"}, "url must be https, but for this machine"),
        ({"url": "ftp://localhost", "key_file": "answers.key"}, "url must be https, but for this machine"),
        ({"url": "https://farm.example", "key_file": "none.key"}, r"key_file: .*none\.key cannot be read"),
    ],
)
def test_settings_that_cannot_work_are_refused(answers: dict[str, str], sentence: str, tmp_path: Path) -> None:
    key_file(tmp_path)
    with pytest.raises(ConfigError, match=sentence):
        config(tmp_path, answers=answers)
