"""Agrees on the key by which a gateway's batches are signed: ECDH between the gateway's P-256 key and the pipeline's, then HKDF-SHA256.

Both come to the same key, each by its own private key and the other's public one; nobody else does. Keys are read from PEM, or as base64 of
their SubjectPublicKeyInfo (RFC 5480), which is how the registry has them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDH, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from program import p256
from schemas.signature import AgreedKey

_PURPOSE = b"tinybeam signed batches 1"
_KEY_BYTES = 32
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)


class UnusableKey(ValueError):
    """A key is missing, or is not on P-256; the text says what is there instead, and never the key."""


def of_gateway(own: EllipticCurvePrivateKey, pipeline: EllipticCurvePublicKey, gateway_id: str) -> AgreedKey:
    """Returns the key as the gateway computes it."""
    return _agreed(own.exchange(ECDH(), pipeline), own.public_key(), pipeline, gateway_id)


def of_pipeline(own: EllipticCurvePrivateKey, gateway: EllipticCurvePublicKey, gateway_id: str) -> AgreedKey:
    """Returns the key as the pipeline computes it."""
    return _agreed(own.exchange(ECDH(), gateway), gateway, own.public_key(), gateway_id)


def private_keys(pem: bytes) -> list[EllipticCurvePrivateKey]:
    """Reads the private keys in a text, of which there must be one. Raises UnusableKey."""
    return [_private_key(part) for part in _parts(pem, "PRIVATE KEY")]


def public_keys(pem: bytes) -> list[EllipticCurvePublicKey]:
    """Reads the public keys in a text, of which there must be one. Raises UnusableKey."""
    return [_on_curve(part, load_pem_public_key) for part in _parts(pem, "PUBLIC KEY")]


def public_key(registered: str) -> EllipticCurvePublicKey:
    """Reads a public key as the registry has it. Raises UnusableKey."""
    try:
        der = base64.b64decode(registered, validate=True)
    except binascii.Error as error:
        raise UnusableKey("a public key is not in base64") from error
    return _on_curve(der, load_der_public_key)


def as_registered(key: EllipticCurvePublicKey) -> str:
    """Returns a public key as the registry has it."""
    return base64.b64encode(_spki(key)).decode()


def fingerprint(key: EllipticCurvePublicKey) -> bytes:
    """Returns the SHA-256 of the SubjectPublicKeyInfo, by which people compare keys."""
    return sha256(_spki(key)).digest()


def _agreed(shared: bytes, gateway: EllipticCurvePublicKey, pipeline: EllipticCurvePublicKey, gateway_id: str) -> AgreedKey:
    prints = fingerprint(gateway), fingerprint(pipeline)
    info = b"\n".join((_PURPOSE, gateway_id.encode(), b"".join(prints)))
    secret = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(shared)
    return AgreedKey(bytes(each[0] for each in prints), secret)


def _spki(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _parts(pem: bytes, label: str) -> list[bytes]:
    parts = [found.group() for found in _PEM.finditer(pem) if found.group(1).decode().endswith(label)]
    if not parts:
        raise UnusableKey(f"no {label} of PEM is in it")
    return parts


def _private_key(pem: bytes) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # TypeError: it is encrypted. What the library says may quote the file, so it is not told.
        raise UnusableKey("a private key is not plain PEM") from error
    if not p256.is_private(key):
        raise UnusableKey("a private key is not on P-256")
    return key


def _on_curve(written: bytes, load: Callable[[bytes], object]) -> EllipticCurvePublicKey:
    try:
        key = load(written)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UnusableKey("a public key cannot be read") from error
    if not p256.is_public(key):
        raise UnusableKey("a public key is not on P-256")
    return key
