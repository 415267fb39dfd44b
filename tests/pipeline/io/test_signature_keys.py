"""The pipeline's keys are read where they are, by whoever needs them; what is wrong with them is told, and never what is in them."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import requests

from pipeline.authenticate import Requirement
from pipeline.io import signature_keys
from pipeline.io.signature_keys import Signatures, keys_at
from program.settings import ConfigError
from schemas.registry import FixedRegistry, Registry
from tests.pipeline.bodies import message, numbered
from tests.pipeline.signed import PIPELINE, key_file, key_of, private_pem, registered, signed


def public(place: str) -> list[Any]:
    return [key.public_key() for key in keys_at(place)]


def test_a_file_may_hold_several_keys(tmp_path: Path) -> None:
    file = key_file(tmp_path, PIPELINE)
    file.write_bytes(private_pem(PIPELINE) + private_pem("next"))
    assert public(str(file)) == [key_of(PIPELINE).public_key(), key_of("next").public_key()]


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = key_file(tmp_path, PIPELINE)
    file.chmod(mode)
    with pytest.raises(ConfigError, match=f"--signature_keys={file}: others may read or write it: chmod 600"):
        keys_at(str(file))
    file.chmod(0o640)
    assert public(str(file)) == [key_of(PIPELINE).public_key()]


@pytest.mark.parametrize("content", [b"", b"canary", private_pem(PIPELINE).replace(b"M", b"canary", 1)])
def test_what_is_wrong_is_told_with_option_and_file_and_without_what_is_in_it(tmp_path: Path, content: bytes) -> None:
    file = key_file(tmp_path, PIPELINE)
    file.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        Signatures(Requirement.REFUSE, str(file)).check()
    assert str(refused.value).startswith(f"--signature_keys={file}: ")
    assert "canary" not in str(refused.value)
    Signatures(Requirement.ACCEPT, str(file)).check()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--signature_keys=.*none.key: .*No such file"):
        keys_at(str(tmp_path / "none.key"))


def test_only_the_place_travels_and_a_worker_judges_by_the_registry_in_force(tmp_path: Path) -> None:
    signatures = Signatures(Requirement.REFUSE, str(key_file(tmp_path, PIPELINE)))
    source = signatures.authenticator(FixedRegistry(Registry((), (), (), (registered("gw1"),))))
    packed = pickle.dumps(source)
    assert b"PRIVATE KEY" not in packed
    judge = pickle.loads(packed).current()
    true = message(numbered(2), gateway_id="gw1")
    assert (judge.fault(signed(true)), judge.fault(true)) == (None, "unsigned")
    assert Signatures(Requirement.ACCEPT, "").authenticator(FixedRegistry(Registry((), ()))) is None


class _Session:
    """Answers as Secret Manager does."""

    def __init__(self, answer: dict[str, Any], status: int = 200) -> None:
        self.asked: list[str] = []
        self._answer, self._status = answer, status

    def get(self, url: str, timeout: float) -> requests.Response:
        self.asked.append(url)
        response = requests.Response()
        response.status_code, response._content = self._status, json.dumps(self._answer).encode()
        return response


def test_a_secret_is_asked_for_by_its_name() -> None:
    session = _Session({"payload": {"data": base64.b64encode(private_pem(PIPELINE)).decode()}})
    assert signature_keys.secret("projects/p/secrets/s/versions/latest", session) == private_pem(PIPELINE)
    assert session.asked == ["https://secretmanager.googleapis.com/v1/projects/p/secrets/s/versions/latest:access"]


@pytest.mark.parametrize(("answer", "status"), [({}, 200), ({"payload": {"data": "?"}}, 200), ({}, 403)])
def test_an_answer_without_a_secret_is_none(answer: dict[str, Any], status: int) -> None:
    with pytest.raises((ValueError, requests.RequestException)):
        signature_keys.secret("projects/p/secrets/s/versions/1", _Session(answer, status))
