"""A link says what its notifier made it say, until it is over, and nothing else is a link."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.settings import ConfigError
from schemas.answers import AnswerLink, LinkError, opened, read_key
from schemas.records import Answer

KEY = bytes(range(32))
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@given(st.text(min_size=1, max_size=200), st.sampled_from(Answer), st.integers(1, 10**8))
def test_a_link_says_what_it_was_made_of(alert_id: str, answer: Answer, seconds: int) -> None:
    link = AnswerLink(alert_id, answer, NOW + timedelta(seconds=seconds))
    assert opened(link.token(KEY), KEY, NOW) == link


def test_it_is_over_at_its_expiry() -> None:
    token = AnswerLink("a", Answer.DONE, NOW).token(KEY)
    with pytest.raises(LinkError, match="this link was good until 2026-05-01 12:00 UTC"):
        opened(token, KEY, NOW)
    assert opened(token, KEY, NOW - timedelta(seconds=1))


@given(st.data())
def test_no_character_of_a_token_can_be_changed(data: st.DataObject) -> None:
    token = AnswerLink("dry:north:1777636800000000", Answer.DONE, NOW + timedelta(days=1)).token(KEY)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda each: each != token[at]))
    with pytest.raises(LinkError):
        opened(token[:at] + other + token[at + 1 :], KEY, NOW)


@pytest.mark.parametrize("token", ["", ".", "a", "a.b", "é.é", "A" * 3000, f"{'A' * 2000}.{'A' * 43}"])
def test_what_is_no_token_is_no_link(token: str) -> None:
    with pytest.raises(LinkError, match="this is no link of a notice"):
        opened(token, KEY, NOW)


def test_a_key_is_read_from_a_file_of_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "answers.key"
    file.write_bytes(base64.b64encode(KEY) + b"\n")
    file.chmod(0o640)
    with pytest.raises(ConfigError, match=r"^key_file: others may read .*answers\.key: chmod 600"):
        read_key(file, "key_file")
    file.chmod(0o600)
    assert read_key(file, "key_file") == KEY
    file.write_bytes(b"c2hvcnQ=")
    with pytest.raises(ConfigError, match=r"holds no key: a key is 32 bytes in base64: openssl rand -base64 32") as shown:
        read_key(file, "key_file")
    assert "c2hvcnQ" not in str(shown.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_key(tmp_path / "none", "key_file")
