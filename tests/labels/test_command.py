"""`tinybeam label` adds, loads and serves, and says in one sentence what is wrong."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from click.testing import CliRunner

from labels.command import cli
from labels.stores import LabelFile


def said(*arguments: str) -> str:
    done = CliRunner().invoke(cli, list(arguments))
    assert done.exit_code == 0, done.output
    return done.output


def test_a_label_goes_to_a_file(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    arguments = "--site", "north", "--amount", "12", "--at", "2026-05-01T06:00:00Z", "--by", "Ada", "--file", str(file)
    assert said("add", "irrigated_mm", *arguments) == "added irrigated_mm of 2026-05-01 06:00 UTC\n"
    [label] = LabelFile(file).read()
    assert (label.answer, label.site_id, label.amount, label.labelled_by) == ("irrigated_mm", "north", 12.0, "Ada")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "done"], "say what it is about: a site, a device or an alert"),
        (["add", "irrigated_mm", "--site", "north"], "more than 0 and at most 500 mm"),
        (["add", "done", "--site", "north", "--at", "soon"], "--at 'soon' is no time"),
        (["add", "done", "--site", "north", "--at", "now + 2 days"], "UTC is still to come: what is said is of what was"),
        (["load", "absent.jsonl"], "absent.jsonl cannot be used: No such file or directory"),
        (["add", "gone", "--site", "north"], "'gone' is not one of"),
        (["add", "seen", "--site", "north"], "seen is said of an alert"),
        (["serve", "--key", "none.key", "--listen", "0.0.0.0"], "is not this machine alone: name a --certificate"),
        (["serve", "--key", "none.key"], "--key: none.key cannot be read"),
    ],
)
def test_what_is_wrong_is_one_sentence(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    where = [] if arguments[0] == "load" else ["--file", str(tmp_path / "labels.jsonl")]
    done = CliRunner().invoke(cli, [*arguments, *where])
    assert done.exit_code in (1, 2)
    assert sentence in done.output


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "answers.key"
    key.write_bytes(base64.b64encode(b"k" * 32))
    key.chmod(0o644)
    done = CliRunner().invoke(cli, ["serve", "--key", str(key), "--file", str(tmp_path / "labels.jsonl")])
    assert (done.exit_code, "chmod 600" in done.output) == (1, True)
