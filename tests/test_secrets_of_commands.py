"""No command says a secret: whatever file, option or variable it came by, and whatever is wrong with it."""

from __future__ import annotations

import json
import logging
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec

from keys import pem
from lab.services.child import free_port
from pipeline.io.signature_keys import secret
from schemas.key_agreement import UnusableKey
from tests.attack import Attack
from tests.edge.uplink.federation import FEDERATION
from tests.keys.farms import Farm
from tinybeam import main

CANARY = "canary7f3a9c41"
KEYS = (
    CANARY,
    f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n",
    f"-----BEGIN EC PRIVATE KEY-----\n{CANARY}\n",
    f"\xff{CANARY}",
)
"""What a file of a private key may hold that is none."""
CREDENTIALS = (
    CANARY,
    f'{{"type": "authorized_user", "refresh_token": "{CANARY}"}}',
    f'{{"type": "service_account", "private_key": "{CANARY}"}}',
    f'["{CANARY}"]',
)
GATEWAY = """
[gateway]
id = "gateway-1"
state_dir = "state"
[mqtt]
user = "gateway"
password_file = "password"
[store]
encryption_key_file = "store.key"
[signatures]
key_file = "own.key"
pipeline_key_file = "pipeline.pub"
[uplink]
kind = "pubsub"
topic = "projects/my-project/topics/telemetry"
credentials_file = "google.json"
[[sensors]]
name = "soil"
devices = ["soil-*"]
channels = { moisture = "m3/m3" }
[sensors.payload]
hash_key_file = "hash.key"
"""
REGISTRY = '[[sites]]\nsite_id = "north"\nname = "North"\n[[gateways]]\ngateway_id = "gateway-1"\npublic_key = "{}"\n'
Command = tuple[Sequence[str], Mapping[str, str]]


def run(arguments: Sequence[str], variables: Mapping[str, str] | None = None) -> str:
    """All that a command says, the text of a fault of ours included. It is to fail."""
    done = CliRunner().invoke(main, list(arguments), env={**(variables or {}), "PUBSUB_EMULATOR_HOST": None}, catch_exceptions=True)
    assert done.exit_code, arguments
    return f"{done.output}{done.exception!r}"


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """What commands say in this folder; whoever asks looks at the log, too."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(tmp_path)
    yield (found := [])
    found += [record.getMessage() for record in caplog.records]


def note(attack: Attack, name: str, attempt: str, sentences: Sequence[str]) -> None:
    attack(
        name,
        attacker="reader",
        attempt=attempt,
        outcome="each command fails in a sentence that names the file, option or address, and says nothing of what is in it",
        attempts=len(sentences),
        accepted=sum(CANARY in sentence for sentence in sentences),
        control="each of them was given the secret, and each fails",
    )


def private(name: str, text: str) -> str:
    file = Path(name)
    file.write_bytes(text.encode("latin-1"))
    file.chmod(0o600)
    return name


def test_no_command_of_keys_says_what_a_file_of_keys_holds(said: list[str], attack: Attack, tmp_path: Path) -> None:
    farm = Farm(tmp_path)
    issuing, trusted = tmp_path / "authority/issuing.pem", str(farm.trusted)
    for text in KEYS:
        file = private("own.pem", text)
        issuing.write_bytes(text.encode("latin-1"))
        commands = (
            ["status", file],
            ["register", file],
            ["renew", file, "--authority", trusted],
            ["accept", file, "--certificate", file, "--authority", trusted],
            ["sign", file, "--role", "gateway", "--ca", "authority", "--out", "out.pem"],
            ["issue", "gateway-1", "--role", "gateway", "--ca", "authority", "--out", "out.pem"],
            ["revoke", "gateway-1", "--ca", "authority"],
        )
        said += [run(["keys", *arguments]) for arguments in commands]
    note(attack, "secret-in-keys-command", "reads the errors of `tinybeam keys` for keys that are cut off, damaged or none", said)


def test_no_command_says_a_token_nor_the_password_of_an_address(said: list[str], attack: Attack, tmp_path: Path) -> None:
    trusted = str(Farm(tmp_path).trusted)
    token = {"TINYBEAM_TOKEN": CANARY}
    for server in (
        f"https://localhost:{free_port()}",
        f"https://user:{CANARY}@localhost",
        f"http://localhost/{CANARY}",
        f"https://[{CANARY}",
    ):
        arguments = ["keys", "enroll", f"{len(said)}.pem", "--name", "gateway-1", "--server", server, "--authority", trusted]
        said.append(run(arguments, token))
        private("gateway.toml", GATEWAY.replace("[store]", f'[renewal]\nserver = "{server.replace("https", "http")}"\n[store]'))
        said.append(run(["edge", "validate", "--config", "gateway.toml"]))
    note(
        attack,
        "secret-in-address",
        "reads the errors of addresses with a password in them, and of a token that is not taken",
        said,
    )


def test_no_command_of_the_gateway_says_what_its_files_of_secrets_hold(said: list[str], attack: Attack) -> None:
    """One file at a time is broken: the first that is stops a gateway."""
    private("gateway.toml", GATEWAY)
    Path("pipeline.pub").write_bytes(pem.of_public_key(ec.generate_private_key(ec.SECP256R1()).public_key()))
    sound = {"own.key": pem.of_key(ec.generate_private_key(ec.SECP256R1())).decode(), "hash.key": "0a" * 32}
    sound |= {"store.key": b64encode(bytes(32)).decode()}
    sound |= {"google.json": json.dumps(FEDERATION | {"credential_source": {"file": "subject"}}), "password": "secret"}
    texts = dict.fromkeys(sound, KEYS) | {"google.json": CREDENTIALS, "hash.key": [text for text in KEYS if len(text) < 16]}
    broken = [(name, text) for name in sound for text in texts[name]]
    for name, text in broken:
        for each in sound:
            private(each, text if each == name else sound[each])
        words = "doctor" if name == "password" else "run"
        said.append(run(["edge", words, "--config", "gateway.toml"]))
    note(attack, "secret-in-gateway-command", "reads the errors of `tinybeam edge` for keys, passwords and credentials that are none", said)


def test_no_command_of_the_pipeline_says_its_key_its_credentials_or_a_key_in_the_registry(said: list[str], attack: Attack) -> None:
    private("empty.tbb", "")
    for key, credentials in zip(KEYS, CREDENTIALS, strict=True):
        own = ["--signature_keys", private("pipeline.key", key), "--project=my-project"]
        said.append(run(["pipeline", "--mode=batch", "--input=empty.tbb", *own]))
        google = {"GOOGLE_APPLICATION_CREDENTIALS": str(Path(private("google.json", credentials)).absolute())}
        said.append(run(["sql", "apply", "--project=my-project"], google))
        if key.isascii():
            private("registry.toml", REGISTRY.format(key.replace("\n", "\\n")))
            said += [run(words) for words in (["check", "registry.toml"], ["sql", "registry", "registry.toml", "--project=my-project"])]
    note(attack, "secret-in-pipeline-command", "reads the errors of pipeline, check and sql for keys that are none", said)


class Answers:
    """Is Secret Manager with an answer."""

    def __init__(self, status: int, content: str) -> None:
        self._answer = requests.Response()
        self._answer.status_code, self._answer._content, self._answer.url = (
            status,
            content.encode(),
            "https://secretmanager.googleapis.com/v1/s",
        )

    def get(self, url: str, /, *, timeout: float) -> requests.Response:
        return self._answer


def test_what_secret_manager_answers_is_not_said(attack: Attack) -> None:
    sentences = []
    for status, content in ((200, CANARY), (200, f'{{"payload": {{"data": "{CANARY}!"}}}}'), (200, f'["{CANARY}"]'), (403, CANARY)):
        with pytest.raises((UnusableKey, requests.RequestException)) as failed:
            secret("s", Answers(status, content))
        sentences.append(str(failed.value))
    note(attack, "secret-in-secret-manager", "reads what is said of wrong answers of Secret Manager", sentences)
