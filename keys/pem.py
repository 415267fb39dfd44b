"""Reads and writes keys, certificates and requests as PEM, and says which file holds none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from keys.error import KeysError
from program import p256


def of_key(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def of_public_key(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def of_chain(chain: Sequence[x509.Certificate]) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in chain)


def of_request(request: x509.CertificateSigningRequest) -> bytes:
    return request.public_bytes(Encoding.PEM)


def of_revocation_list(revoked: x509.CertificateRevocationList) -> bytes:
    return revoked.public_bytes(Encoding.PEM)


def key(content: bytes, file: Path) -> EllipticCurvePrivateKey:
    """Returns the private key among what the file holds. Raises KeysError."""
    try:
        found = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeysError(f"{file} holds no private key in PEM, or one under a passphrase") from error
    if not p256.is_private(found):
        raise KeysError(f"{file} holds a key of another kind than P-256")
    return found


def chain(content: bytes, file: Path) -> list[x509.Certificate]:
    """Returns the certificates in a file, the holder's first. Raises KeysError."""
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise KeysError(f"{file} holds no certificate in PEM") from error


def request(content: bytes, file: Path) -> x509.CertificateSigningRequest:
    """Returns a request that was signed by the key in it, a P-256 key. Raises KeysError."""
    try:
        found = x509.load_pem_x509_csr(content)
    except ValueError as error:
        raise KeysError(f"{file} holds no request for a certificate in PEM") from error
    if not found.is_signature_valid:
        raise KeysError(f"{file} is not signed by the key in it")
    public_key(found, file)
    return found


def public_key(holds: x509.CertificateSigningRequest | x509.Certificate, file: Path) -> EllipticCurvePublicKey:
    """Returns the key in a request or a certificate. Raises KeysError unless it is of P-256."""
    found = holds.public_key()
    if not p256.is_public(found):
        raise KeysError(f"{file} holds a key of another kind than P-256")
    return found


def common_name(holds: x509.CertificateSigningRequest | x509.Certificate) -> str:
    """Returns the common name, empty if there is none."""
    names = holds.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""
