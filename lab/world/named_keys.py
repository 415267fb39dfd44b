"""Makes keys of signatures that follow from their owners' names, for messages that are made from a seed and are always the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key

from keys import pem, private_files
from schemas.key_agreement import as_registered, of_gateway
from schemas.records import GatewayKey
from schemas.registry_settings import ALWAYS
from schemas.signature import AgreedKey

PIPELINE = "pipeline"
"""The owner of the pipeline's key."""


@cache
def key_of(owner: str) -> EllipticCurvePrivateKey:
    return derive_private_key(int.from_bytes(sha256(owner.encode()).digest()[:31]), SECP256R1())


@cache
def agreed_key(gateway_id: str) -> AgreedKey:
    """Returns the key by which a gateway signs its batches."""
    return of_gateway(key_of(gateway_id), key_of(PIPELINE).public_key(), gateway_id)


def signature_of(attributes: Mapping[str, str], body: bytes) -> str:
    """Returns the signature of a batch by the gateway that it names, in hexadecimal."""
    return agreed_key(attributes["gateway_id"]).signature(attributes, body).hex()


def registered(gateway_ids: Iterable[str]) -> tuple[GatewayKey, ...]:
    """Returns what the registry says of gateways with such keys."""
    keys = {name: as_registered(key_of(name).public_key()) for name in gateway_ids}
    return tuple(GatewayKey(gateway_id=name, public_key=key, valid_from=ALWAYS) for name, key in keys.items())


def pipeline_flag(folder: Path) -> str:
    """Writes the pipeline's key into a folder, and returns the flag that names it."""
    file = folder / "pipeline.key"
    private_files.write(file, pem.of_key(key_of(PIPELINE)))
    return f"--signature_keys={file}"
