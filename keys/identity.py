"""Keeps a key and its certificates in one file, so that no crash can leave one without the other.

The file holds PEM: the private key, the holder's certificate, that of the issuing authority. It may stand for a certificate file and a
key file alike, in mosquitto, OpenSSL, Python and gateway.toml.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from keys import pem, private_files
from keys.chain import is_signed
from keys.error import KeysError
from keys.lifetime import Lifetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Holds a key with the certificates that speak for it, the holder's own first."""

    key: EllipticCurvePrivateKey
    chain: Sequence[x509.Certificate]

    @property
    def certificate(self) -> x509.Certificate:
        return self.chain[0]

    @property
    def name(self) -> str:
        return pem.common_name(self.certificate)

    @property
    def end(self) -> datetime:
        return self.certificate.not_valid_after_utc

    def renewal_time(self, jitter: float) -> datetime:
        """Returns when it is to be renewed, as Lifetime.renewal_time does."""
        return Lifetime(self.certificate.not_valid_before_utc, self.end).renewal_time(jitter)

    def check(self, authorities: Sequence[x509.Certificate], now: datetime, file: Path) -> None:
        """Raises KeysError unless key and certificate fit, the certificate is valid now and comes from one of the authorities."""
        if self.key.public_key() != self.certificate.public_key():
            raise KeysError(f"the certificate of {self.name} does not fit the key in {file}")
        if not self.certificate.not_valid_before_utc <= now <= self.end:
            first, last = self.certificate.not_valid_before_utc, self.end
            raise KeysError(f"the certificate of {self.name} is good from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC, not now")
        if not is_signed(self.chain, authorities):
            raise KeysError(f"the certificate of {self.name} is not signed by the authority that is trusted here")

    def write(self, file: Path) -> None:
        """Raises KeysError."""
        private_files.write(file, pem.of_key(self.key) + pem.of_chain(self.chain))


def read(file: Path) -> Identity:
    """Raises KeysError for a file that cannot be read, or holds no key and certificate that fit."""
    content = private_files.read(file)
    identity = Identity(pem.key(content, file), pem.chain(content, file))
    if identity.key.public_key() != identity.certificate.public_key():
        raise KeysError(f"the key in {file} is not that of the certificate in it")
    return identity


def request(name: str, key: EllipticCurvePrivateKey) -> x509.CertificateSigningRequest:
    """Returns a request for a certificate of that name and key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, SHA256())
