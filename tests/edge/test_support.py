"""`tinybeam edge support`: what a helper needs in one file, and nothing that is secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from edge.__main__ import cli
from edge.gateway import Gateway
from edge.intake.reader import MqttMessage
from edge.store.encryption import Encryption
from edge.store.store import Store
from lab.services.child import free_port
from tests.edge.gateways import START, config

SETTINGS = """
[gateway]
id = "gw-1"
state_dir = "state"
[mqtt]
port = {port}
user = "the-user"
password_file = "password"
[store]
encryption_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
[uplink]
kind = "pubsub"
topic = "projects/demo-project/topics/telemetry"
credentials_file = "credentials.json"
[[sensors]]
name = "soil"
devices = ["d*"]
channels = {{ moisture = "m3/m3" }}
"""
SECRETS = ("the-user", "AAECAwQFBgcICQoL", "beam me up", "private key", "a-payload", "YS1wYXlsb2Fk", "sensors/d1")
"""The payload as text and in base64."""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "password").write_text("beam me up")
    (tmp_path / "credentials.json").write_text("private key")
    (tmp_path / "gateway.toml").write_text(SETTINGS.format(port=free_port()))
    settings = config(tmp_path)
    with closing(Store(settings.store_file, "gw-1", 64 << 20, cipher=Encryption(bytes(range(32))))) as store:
        gateway = Gateway(settings, store, START)
        gateway.accept([MqttMessage("sensors/d1/readings", b"a-payload")], START)
        gateway.flush(START)
        yield store


def bundle(folder: Path, *options: str) -> dict[str, str]:
    result = CliRunner().invoke(cli, ["support", str(folder / "support.zip"), "--config", str(folder / "gateway.toml"), *options])
    assert result.exit_code == 0, result.output
    with ZipFile(folder / "support.zip") as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_a_bundle_has_what_a_helper_asks_for_and_no_secret(gateway: Store, tmp_path: Path) -> None:
    gateway.close()
    parts = bundle(tmp_path)
    assert [secret for secret in SECRETS for text in parts.values() if secret in text] == []
    assert json.loads(parts["gateway.json"])["mqtt"]["password_file"].endswith("password")
    assert {finding["name"] for finding in json.loads(parts["doctor.json"])} >= {"broker", "clock", "disk"}
    heartbeat, reject = map(json.loads, parts["rows.jsonl"].splitlines())
    assert (heartbeat["kind"], reject["kind"], reject["reason"]) == ("heartbeats", "rejects", "malformed_json")
    assert (tmp_path / "support.zip").stat().st_mode & 0o077 == 0


def test_payloads_are_there_when_asked_for(gateway: Store, tmp_path: Path) -> None:
    gateway.close()
    assert "sensors/d1" in bundle(tmp_path, "--payloads")["rows.jsonl"]


def test_what_cannot_be_had_is_a_sentence(gateway: Store, tmp_path: Path) -> None:
    assert gateway.epoch
    assert bundle(tmp_path)["rows.jsonl"].startswith("not here: ")
