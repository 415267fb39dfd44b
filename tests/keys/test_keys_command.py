"""`tinybeam keys`: what a farm types, from nothing to revoked certificates, by file; exit codes, and one line for a mistake."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from keys import identity
from keys.command import cli


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def keys(line: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, line.split(), prog_name="tinybeam keys")
    return result.exit_code, result.stdout, result.stderr


def done(line: str) -> str:
    status, output, error = keys(line)
    assert status == 0, error
    return output


def test_a_gateway_is_enrolled_renewed_and_revoked_by_file() -> None:
    done("ca init authority --name Mill")
    done("enroll gw/gateway-1.pem --name gateway-1 --authority authority/ca.pem")
    done("sign gw/gateway-1.csr --role gateway --ca authority --out gateway-1.crt")
    assert "key and certificate of gateway-1" in done("accept gw/gateway-1.pem gateway-1.crt --authority authority/ca.pem")
    first = identity.read(Path("gw/gateway-1.pem"))
    done("renew gw/gateway-1.pem --authority authority/ca.pem")
    done("sign gw/gateway-1.csr --role gateway --days 30 --ca authority --out gateway-1.crt")
    done("accept gw/gateway-1.pem gateway-1.crt --authority authority/ca.pem")
    second = identity.read(Path("gw/gateway-1.pem"))
    assert (second.key.public_key() == first.key.public_key(), second.end < first.end) == (True, True)
    assert "gateway-1: 2 taken back" in done("revoke gateway-1 --ca authority")
    rows = json.loads(done("list --ca authority --json"))
    assert [(row["name"], row["role"], row["state"]) for row in rows] == [("gateway-1", "gateway", "revoked")] * 2
    assert done("list --ca authority").count("revoked") == 2


def test_the_status_is_an_exit_code_and_a_sentence() -> None:
    done("ca init authority")
    done("issue soil-1 --role sensor --ca authority --out soil-1.pem")
    assert keys("status soil-1.pem")[:2][0] == 0
    status, output, _ = keys("status soil-1.pem absent.pem --json")
    assert (status, [one["state"] for one in json.loads(output)]) == (2, ["good", "unusable"])


def test_the_registry_s_entry_holds_the_key_of_the_certificate() -> None:
    done("ca init authority")
    done("issue gateway-1 --role gateway --ca authority --out gateway-1.pem")
    (entry,) = tomllib.loads(done("register gateway-1.pem"))["gateways"]
    assert entry["gateway_id"] == "gateway-1"
    assert entry["public_key"].startswith("MFkwEwYHKoZIzj0")
    assert entry["valid_from"] == identity.read(Path("gateway-1.pem")).certificate.not_valid_before_utc


def test_the_pipeline_s_key_is_a_pair_and_its_private_half_for_one_alone() -> None:
    done("pipeline init pipeline-key")
    private, public = Path("pipeline-key/pipeline.key"), Path("pipeline-key/pipeline.pub")
    assert load_pem_private_key(private.read_bytes(), None).public_key() == load_pem_public_key(public.read_bytes())
    assert private.stat().st_mode & 0o777 == 0o600
    assert keys("pipeline init pipeline-key")[0] == 2


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ca init authority", "authority/root.key is there already, and is not overwritten"),
        ("issue a/b --role sensor --ca authority --out x.pem", "'a/b' is no name"),
        ("issue soil-1 --role sensor --ca absent --out x.pem", "absent/issuing.pem cannot be read: No such file or directory"),
        ("token broker --role server --ca authority", "a server's certificate names its hosts"),
        ("sign authority/ca.pem --role gateway --ca authority --out x.crt", "holds no request for a certificate in PEM"),
        ("accept x.pem authority/ca.pem --authority authority/ca.pem", "fits neither the key in x.pem nor one that waits beside it"),
        ("enroll x.pem --name x --server http://h --authority authority/ca.pem", "is not like https://HOST:PORT"),
        ("renew absent.pem --authority authority/ca.pem", "absent.pem cannot be read"),
        ("register authority/root.key", "authority/root.key holds no certificate in PEM"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(line: str, sentence: str) -> None:
    done("ca init authority")
    status, output, error = keys(line)
    assert (status, output, error.count("\n")) == (2, "", 1)
    assert sentence in error
    assert "PRIVATE" not in error


def test_days_are_bounded() -> None:
    done("ca init authority")
    assert keys("issue soil-1 --role sensor --days 400 --ca authority --out x.pem")[0] == 2
