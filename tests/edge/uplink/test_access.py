"""How a gateway is let in: tokens that it signs itself, made before they expire, by a process that ends."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt
from google.pubsub_v1 import PublisherClient

from edge.uplink import access_child
from edge.uplink.access import Access, AccessFailed, Pass
from edge.uplink.access_child import AUDIENCE
from program.child import environment
from tests.edge.uplink.federation import FEDERATION

EMAIL = "tinybeam-gateway@my-project.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def file(tmp_path: Path, key: rsa.RSAPrivateKey) -> Path:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    content = {
        "type": "service_account",
        "private_key_id": "a" * 40,
        "private_key": pem,
        "client_email": EMAIL,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    path = tmp_path / "credentials.json"
    path.write_text(json.dumps(content))
    return path


def claims(headers: Any, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """Verifies the signature, and that the token holds now."""
    ((name, value),) = headers
    assert name == "authorization"
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return dict(jwt.decode(value.removeprefix("Bearer "), certs=public, audience=AUDIENCE))  # type: ignore[no-untyped-call]


def test_a_service_account_signs_the_token_that_google_s_client_would(
    file: Path, key: rsa.RSAPrivateKey, capsys: pytest.CaptureFixture[str]
) -> None:
    assert access_child.main([str(file)]) == 0
    ours = claims(json.loads(capsys.readouterr().out)["headers"].items(), key)
    credentials = PublisherClient.from_service_account_file(str(file)).transport._credentials
    credentials._create_self_signed_jwt(f"https://{PublisherClient.DEFAULT_ENDPOINT}/")
    theirs: dict[str, str] = {}
    credentials.before_request(None, "POST", AUDIENCE, theirs)
    of_google = claims([("authorization", theirs["authorization"])], key)
    assert ours["iss"] == EMAIL
    assert {name: ours[name] for name in ("iss", "sub", "aud")} == {name: of_google[name] for name in ("iss", "sub", "aud")}
    assert ours.keys() == of_google.keys()


def test_a_replaced_key_is_read_once_the_old_token_is_forgotten(file: Path, key: rsa.RSAPrivateKey) -> None:
    access = Access(file)
    first = access.headers()
    file.write_text(file.read_text().replace(EMAIL, f"new-{EMAIL}"))
    assert access.headers() == first
    access.forget()
    assert claims(access.headers(), key)["iss"] == f"new-{EMAIL}"


@pytest.mark.parametrize(("now", "holds"), [(1000, True), (4299, True), (4300, False), (999, False)])
def test_a_token_holds_until_five_minutes_before_it_expires_and_never_before_it_was_made(now: float, holds: bool) -> None:
    assert Pass((), made=1000, expires=4600).holds(now) is holds


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "double quotes"),
        ('{"type": "authorized_user"}', "service_account"),
        ("{}", "type is None"),
        ('{"type": "service_account"}', "client_email"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_without_a_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, reason: str
) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(content)
    assert access_child.main([str(file), "--check"]) == 1
    assert reason in capsys.readouterr().out


def test_a_federated_identity_that_cannot_be_shown_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "federation.json"
    file.write_text(json.dumps(FEDERATION | {"credential_source": {"file": str(tmp_path / "subject")}}))
    assert access_child.main([str(file), "--check"]) == 0
    assert access_child.main([str(file)]) == 1
    assert str(tmp_path / "subject") in capsys.readouterr().out


def test_closing_ends_a_child_that_waits_for_the_network(tmp_path: Path, file: Path) -> None:
    access = Access(file)
    pipe = tmp_path / "silent"
    subprocess.run(["mkfifo", str(pipe)], check=True)
    access._file = pipe  # reading it waits for ever
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            access.headers()
        except AccessFailed as failure:
            failures.append(failure)

    asking = threading.Thread(target=ask)
    asking.start()
    while not access._child or access._child.poll() is not None:
        time.sleep(0.01)
    access.close()
    asking.join(10)
    assert not asking.is_alive()
    assert len(failures) == 1


def test_a_gateway_s_own_process_loads_nothing_that_signs() -> None:
    program = """
import sys
from edge.uplink.pubsub import PubsubUplinkSettings
PubsubUplinkSettings(topic="projects/my-project/topics/t").open().close()
print([name for name in sys.modules if name.startswith(("cryptography", "google.auth.crypt", "google.auth.identity_pool"))])
"""
    environ = {**environment(), "PUBSUB_EMULATOR_HOST": "127.0.0.1:9"}
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True, env=environ)
    assert done.stdout.strip() == "[]"
