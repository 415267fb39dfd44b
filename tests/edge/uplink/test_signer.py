"""A gateway signs what it sends by the keys that are on disk, and the pipeline's half of the agreement knows its signatures."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from edge.settings.signatures import SigningKeys
from edge.store.store import OutboxBatch
from edge.uplink.signer import Signer, signing
from program.settings import ConfigError
from schemas.key_agreement import of_pipeline
from tests.pipeline.signed import PIPELINE, key_of, private_pem, public_pem
from tests.schemas.test_message import ONE

BATCH = OutboxBatch(1, ONE, b"body")


@pytest.fixture
def keys(tmp_path: Path) -> SigningKeys:
    found = SigningKeys("gw1", tmp_path / "gw1.key", tmp_path / "pipeline.pub")
    found.key_file.write_bytes(private_pem("gw1"))
    found.pipeline_key_file.write_bytes(public_pem(PIPELINE))
    return found


def is_of(batch: OutboxBatch, owner: str) -> bool:
    agreed = of_pipeline(key_of(PIPELINE), key_of(owner).public_key(), "gw1")
    return agreed.has_signed(batch.signature, batch.envelope.attributes(), batch.body)


def test_the_pipeline_knows_what_the_gateway_signed_and_nothing_else(keys: SigningKeys) -> None:
    [signed] = signing(keys)([BATCH])
    assert is_of(signed, "gw1")
    assert not is_of(signed, "gw2")
    assert signing(None)([BATCH]) == [BATCH]


def test_a_key_that_is_renewed_signs_the_next_batch_and_an_unreadable_one_changes_nothing(
    keys: SigningKeys, caplog: pytest.LogCaptureFixture
) -> None:
    signer = Signer(keys)
    replaced(keys.key_file, b"-----BEGIN PRIVATE KEY-----\nhalf of a")
    assert is_of(signer.signed([BATCH])[0], "gw1")
    assert "batches are signed by the key of before" in caplog.text
    caplog.set_level(logging.INFO)
    replaced(keys.key_file, private_pem("renewed"))
    assert is_of(signer.signed([BATCH])[0], "renewed")
    keys.key_file.unlink()
    assert is_of(signer.signed([BATCH])[0], "renewed")


def replaced(file: Path, content: bytes) -> None:
    new = file.with_suffix(".new")
    new.write_bytes(content)
    new.replace(file)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no PRIVATE KEY of PEM is in it"),
        (b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n", "a private key is not plain PEM"),
        (
            generate_private_key(SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "a private key is not on P-256",
        ),
    ],
)
def test_a_key_that_cannot_be_used_is_told_at_the_start_without_what_is_in_it(keys: SigningKeys, content: bytes, sentence: str) -> None:
    keys.key_file.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        Signer(keys)
    files = f"signatures.key_file {keys.key_file} with signatures.pipeline_key_file {keys.pipeline_key_file}"
    assert str(refused.value) == f"{files}: {sentence}"


def test_a_gateway_that_signs_does_not_load_what_agrees_on_keys(keys: SigningKeys) -> None:
    files = f"Path({str(keys.key_file)!r}), Path({str(keys.pipeline_key_file)!r})"
    rooms = "from edge.settings.signatures import SigningKeys; from edge.uplink.signer import Signer"
    code = f"import sys; from pathlib import Path; {rooms}; Signer(SigningKeys('gw1', {files}))"
    subprocess.run([sys.executable, "-c", f"{code}; assert 'cryptography' not in sys.modules"], check=True)
