"""Releases, labels and the lab say no secret of theirs, whatever is wrong with the file that it came by."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from releases.repository import Repository
from tests.attack import Attack
from tinybeam import main

CANARY = "canary7f3a9c41"
KEYS = (
    CANARY,
    f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n",
    f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{CANARY}\n",
    f"\xff{CANARY}",
)
"""What a file of a private key may hold that is none."""
COMMANDS_OF_THE_LAB = ("demo", "up", "certify", "keep", "report", "drill outage", "attack")


def run(arguments: Sequence[str]) -> tuple[int, str]:
    """Returns how a command ends, and all that it says, the text of a fault of ours included."""
    done = CliRunner().invoke(main, list(arguments), env={"TINYBEAM_TOKEN": CANARY, "GOOGLE_APPLICATION_CREDENTIALS": "google.json"})
    return done.exit_code, f"{done.output}{done.exception!r}"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.LogCaptureFixture:
    """Runs commands in this folder, and hears all that is logged."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    return caplog


def note(attack: Attack, name: str, attempt: str, said: Sequence[tuple[int, str]], log: str) -> None:
    assert all(code for code, _ in said), said
    attack(
        name,
        attacker="reader",
        attempt=attempt,
        outcome="each command fails in a sentence that names the file or folder, and says nothing of what is in it",
        attempts=len(said),
        accepted=sum(CANARY in sentence for _, sentence in said) + (CANARY in log),
        control="each of them was given the secret, and each fails",
    )


def private(file: Path, text: str) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode("latin-1"))
    file.chmod(0o600)
    return str(file)


def test_no_command_of_releases_says_what_a_file_of_keys_holds(logged: pytest.LogCaptureFixture, attack: Attack) -> None:
    assert run(["release", "init", "--folder", "releases"])[0] == 0
    online = Repository(Path("releases")).online_key_file("timestamp")
    said = []
    for text in KEYS:
        said.append(run(["release", "sign", "--folder", "releases", "--key", private(Path("mine.key"), text)]))
        private(online, text)
        said.append(run(["release", "publish", "target", "--folder", "releases"]))
    note(
        attack,
        "secret-in-release-command",
        "reads the errors of `tinybeam release` for keys that are cut off, damaged or none",
        said,
        logged.text,
    )


def test_no_command_of_labels_says_its_key(logged: pytest.LogCaptureFixture, attack: Attack) -> None:
    said = [run(["label", "serve", "--key", private(Path("answers.key"), text), "--file", "labels.jsonl", "--port", "0"]) for text in KEYS]
    said += [run(["label", "load", private(Path("labels.jsonl"), text), "--project=my-project"]) for text in KEYS]
    note(attack, "secret-in-label-command", "reads the errors of `tinybeam label` for keys and files that are none", said, logged.text)


def test_no_command_of_the_lab_says_what_is_in_its_folder_or_its_variables(logged: pytest.LogCaptureFixture, attack: Attack) -> None:
    said = []
    for text in KEYS:
        for name in ("run_record.json", "keys/authority/issuing.pem", "google.json"):
            private(Path("foreign") / name, text)
        private(Path("google.json"), text)
        said += [run(["lab", *words.split(), "--directory", "foreign"]) for words in COMMANDS_OF_THE_LAB]
    assert all("foreign" in sentence for _, sentence in said), said
    note(attack, "secret-in-lab-command", "reads the errors of `tinybeam lab` in a folder of keys and credentials", said, logged.text)
