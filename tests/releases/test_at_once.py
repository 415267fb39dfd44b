"""Several people and a timer use one folder of releases at once, or copies of it: no signature and no decision is lost."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from releases import drafting, roles, rollouts
from releases.advance_command import advance
from releases.command import cli
from releases.error import ReleaseError
from releases.rollout import Decision
from tests.releases.publisher import FILES, Publisher


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


def draft(publisher: Publisher) -> None:
    drafting.add(publisher.repository, "soil", FILES, publisher.now)


def begun(publisher: Publisher, words: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-c",
        "from releases.command import cli; cli()",
        *words.split(),
        "--folder",
        str(publisher.repository.folder),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Another command changes the folder meanwhile."""
    opened = os.open(folder, os.O_RDONLY)
    fcntl.flock(opened, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(opened)


def test_two_who_sign_at_once_sign_one_after_the_other(publisher: Publisher) -> None:
    draft(publisher)
    with held(publisher.repository.folder):
        commands = [begun(publisher, f"sign --key {publisher.key(holder)}") for holder in ("ada", "ben")]
        said = [command.stderr.readline() for command in commands if command.stderr]
        assert drafting.drafts(publisher.repository)[0].signatures == 0
    outputs = [command.communicate(timeout=60) for command in commands]
    assert all("Another command changes" in each for each in said), outputs
    assert sorted(output.partition(";")[0] for output, _ in outputs) == [
        "releases 2: signed by 1 of 2 who must",
        "releases 2: signed by 2 of 2 who must",
    ]
    assert drafting.numbers(publisher.repository.newest(roles.RELEASES), "soil") == {1}


class _Asked:
    """A file of health during whose reading a person halts the release."""

    name = "health"

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def read(self) -> bytes:
        rollouts.decide(self._publisher.repository, "soil", Decision(time=self._publisher.now, action="halt", share=0))
        return json.dumps([{"model": "soil", "release": 1, "gateways": 9, "device_days": 5000}]).encode()


def test_a_release_that_a_person_halts_while_the_warehouse_is_asked_stays_halted(publisher: Publisher) -> None:
    publisher.roll_out(publisher.release())
    with pytest.raises(SystemExit) as ended:
        advance.callback(
            publisher.repository.folder, "soil", _Asked(publisher), ask=False, anyway=False, reason="", dry_run=False, as_json=False
        )  # type: ignore[misc]
    assert ended.value.code == 2
    rollout = rollouts.existing(publisher.repository, "soil")
    assert (rollout.halted, [decision.action for decision in rollout.decisions]) == (True, ["roll-out", "halt"])


@pytest.mark.parametrize("first", [(), ("ada",)], ids=["both elsewhere", "one here"])
def test_who_signs_a_copy_elsewhere_sends_back_one_file(publisher: Publisher, first: tuple[str, ...], tmp_path: Path) -> None:
    draft(publisher)
    for holder in first:
        drafting.sign(publisher.repository, publisher.key(holder))
    files = [signed_elsewhere(publisher, holder, tmp_path / holder) for holder in ("ada", "ben") if holder not in first]
    outputs = [
        CliRunner().invoke(cli, ["sign", "--from", str(file), "--folder", str(publisher.repository.folder)]).output for file in files
    ]
    assert "signed by 2 of 2 who must; complete" in outputs[-1]
    assert drafting.numbers(publisher.repository.newest(roles.RELEASES), "soil") == {1}
    publisher.publish()


def signed_elsewhere(publisher: Publisher, holder: str, copy: Path) -> Path:
    """What a holder who has a copy of the folder sends back."""
    shutil.copytree(publisher.repository.folder, copy)
    result = CliRunner().invoke(cli, ["sign", "--key", str(publisher.key(holder)), "--folder", str(copy)])
    assert result.exit_code == 0, result.output
    drafted = copy / "drafts" / "releases.json"
    return drafted if drafted.exists() else copy / "published" / "metadata" / "2.releases.json"


def test_a_copy_adds_nothing_that_is_of_another_draft_or_does_not_count(publisher: Publisher, tmp_path: Path) -> None:
    draft(publisher)
    old = signed_elsewhere(publisher, "ada", tmp_path / "old")
    draft(publisher)
    with pytest.raises(ReleaseError, match="is not what waits for signatures here: it was drafted anew since"):
        drafting.take_signatures(publisher.repository, old)
    new = signed_elsewhere(publisher, "ben", tmp_path / "new")
    content = json.loads(new.read_bytes())
    signature = content["signatures"][0]
    signature["sig"] = signature["sig"][:-2] + ("00" if signature["sig"][-2:] != "00" else "01")
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(content))
    with pytest.raises(ReleaseError, match=r"forged\.json adds no signature to releases 2 that counts"):
        drafting.take_signatures(publisher.repository, forged)
    drafting.take_signatures(publisher.repository, new)
    with pytest.raises(ReleaseError, match=r"releases\.json adds no signature"):
        drafting.take_signatures(publisher.repository, new)
    assert [each.signatures for each in drafting.drafts(publisher.repository)] == [1]


def test_a_draft_that_is_changed_says_whose_signature_counts_no_more(publisher: Publisher) -> None:
    draft(publisher)
    drafting.sign(publisher.repository, publisher.key("ada"))
    output = CliRunner().invoke(cli, ["renew", "--folder", str(publisher.repository.folder)]).output
    assert "releases 2 was signed by 1, which counts no more: they sign again" in output
