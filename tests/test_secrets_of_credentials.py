"""No command waits for credentials that are refused, and none says what is in them: it ends with whose they are."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random

import pytest
import requests
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import rsa
from google.api_core.exceptions import Forbidden, ServiceUnavailable
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError

from keys import pem
from lab.services.child import free_port
from notify.subscription import SubscriptionError, await_access
from pipeline.io.answers import answered
from program.google_credentials import VARIABLE
from program.settings import ConfigError
from tests.attack import Attack
from tinybeam import main

CANARY = "canary7f3a9c41"
PROJECT = "--project=my-project"
COMMANDS = (
    ["rejects", "ls", PROJECT],
    ["rejects", "show", "abc", PROJECT],
    ["rejects", "export", "out", PROJECT],
    ["rejects", "replay", PROJECT, "--require_signatures=accept"],
    ["pipeline", "--mode=batch", "--input=empty.tbb", PROJECT, "--require_signatures=accept"],
    ["pipeline", "--mode=batch", "--input=empty.tbb", PROJECT, "--signature_keys=secret:projects/p/secrets/s/versions/1"],
    ["sql", "apply", PROJECT],
    ["sql", "query", "driest_fields", PROJECT],
    ["sql", "recompute", PROJECT],
    ["sql", "registry", "registry.toml", PROJECT],
    ["certify", "my-project.a", "my-project.b"],
    ["label", "load", "labels.jsonl", PROJECT],
    ["label", "add", "done", "--site=north", PROJECT],
    ["notify", "run", "--config=notify.toml"],
)
FILES = {
    "empty.tbb": "",
    "labels.jsonl": "",
    "registry.toml": '[[sites]]\nsite_id = "north"\nname = "North"\n',
    "notify.toml": '[pubsub]\nsubscription = "projects/my-project/subscriptions/notify"\n[notify]\nstate_file = "sent.db"\n'
    '[[routes]]\nreceivers = ["stdout"]\n',
}
UNREADABLE = (
    CANARY,
    f'["{CANARY}"]',
    f'{{"type": "authorized_user", "refresh_token": "{CANARY}"}}',
    f'{{"type": "service_account", "private_key": "{CANARY}"}}',
)
"""What a file of credentials may hold that is none."""


class _Refuses(BaseHTTPRequestHandler):
    """Is a token service that has taken the key back."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        answer = json.dumps({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}).encode()
        self.send_response(400)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def token_service() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", free_port()), _Refuses) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/token"
        server.shutdown()
        thread.join()


@pytest.fixture
def variables() -> Mapping[str, str | None]:
    return {VARIABLE: "google.json", **dict.fromkeys(("PUBSUB_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST", "BIGQUERY_STORAGE_EMULATOR_HOST"))}


def account(token_service: str) -> tuple[str, str]:
    """Returns a whole file of a service account, and the middle of its key."""
    key = pem.of_key(rsa.generate_private_key(65_537, 2048)).decode()
    named = {"type": "service_account", "client_email": "a@b.iam.gserviceaccount.com", "project_id": "my-project", "private_key_id": "k"}
    return json.dumps({**named, "private_key": key, "token_uri": token_service}), key[60:100]


def test_each_command_ends_with_whose_credentials_are_refused_and_says_nothing_of_them(
    attack: Attack, token_service: str, variables: Mapping[str, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text)
    refused, secret = account(token_service)
    told, tried = 0, 0
    for content in (*UNREADABLE, refused):
        Path("google.json").write_text(content)
        for command in COMMANDS:
            done = CliRunner().invoke(main, command, env=variables)
            said = f"{done.output}{done.exception!r}"
            assert isinstance(done.exception, SystemExit), said
            assert f"{VARIABLE}=google.json" in done.output, (command, content, done.output)
            tried, told = tried + 1, told + (CANARY in said or secret in said)
    attack(
        "secret-in-google-credentials",
        attacker="reader",
        attempt="reads the errors of commands whose credentials of Google's are none, cut off, or refused by the token service",
        outcome="each command ends, in a sentence that names the variable and the file, and says nothing of what is in it",
        attempts=tried,
        accepted=told,
        control="each of them was given the secret, and each fails",
    )


class Service:
    """Fails with one error after the other, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self._errors:
            raise self._errors.pop(0)
        return "here"


UNREACHABLE = (TransportError("no route"), RefreshError("503", retryable=True))


@pytest.mark.parametrize("error", [*UNREACHABLE, ServiceUnavailable("503"), requests.exceptions.ConnectionError("refused")], ids=repr)
def test_a_warehouse_that_cannot_be_reached_is_waited_for_aloud(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    service = Service(error, error)
    pauses: list[float] = []
    assert answered(service, Random(1), pauses.append) == "here"
    assert len(pauses) == 2
    assert caplog.text.count("the warehouse does not answer") == 2


@pytest.mark.parametrize("error", [RefreshError("invalid_grant"), Forbidden("Access Denied")], ids=repr)
def test_what_a_warehouse_refuses_is_not_waited_for(error: Exception) -> None:
    service = Service(error)
    with pytest.raises(ConfigError, match=VARIABLE):
        answered(service, Random(1), _never)
    assert service.asked == 1


@pytest.mark.parametrize("error", UNREACHABLE, ids=repr)
def test_a_notifier_waits_aloud_for_a_token_service_that_cannot_be_reached(
    error: GoogleAuthError, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    service, stopping = Service(error, error, RefreshError("invalid_grant")), Waiting()
    with pytest.raises(SubscriptionError, match="invalid_grant"):
        await_access(service, stopping)
    assert (service.asked, stopping.waited) == (3, 2)
    assert caplog.text.count("Google gives no token now") == 2


class Waiting(threading.Event):
    """Counts how often somebody waits, and lets nobody wait."""

    waited = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waited += 1
        return self.is_set()


_never: Callable[[float], None] = pytest.fail  # type: ignore[assignment]
