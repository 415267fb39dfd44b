"""Asks for a holder's certificate and takes it in: first, and again when it is renewed.

Guarantees that the file of the holder is whole and good at any time: a new key waits beside it, until a certificate that fits it and is
signed by the trusted authority takes the place of both at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from keys import certificates, identity, pem, private_files
from keys.error import KeysError
from keys.identity import Identity


def waiting_key(file: Path) -> Path:
    """Returns the file of the key that waits for its certificate."""
    return file.with_name(f"{file.name}.waiting")


def ask(file: Path, name: str, *, new_key: bool) -> x509.CertificateSigningRequest:
    """Returns a request by the key in the file; by a new one, which then waits, where there is none yet or `new_key` says so.

    A key that waits already is asked for again. Raises KeysError.
    """
    return identity.request(name, _key(file, new_key=new_key))


def take(file: Path, chain: Sequence[x509.Certificate], authority: Path, now: datetime) -> Identity:
    """Puts a certificate that came into the file, with the key that it fits. Raises KeysError, and changes nothing then."""
    trusted = pem.chain(private_files.read(authority), authority)
    taken = Identity(_key_of(chain[0], file), chain)
    taken.check(trusted, now, file)
    if file.exists() and (last := identity.read(file)).name != taken.name:
        raise KeysError(f"the certificate is that of {taken.name}, and {file} is that of {last.name}")
    taken.write(file)
    waiting_key(file).unlink(missing_ok=True)
    return taken


def _key(file: Path, *, new_key: bool) -> EllipticCurvePrivateKey:
    if file.exists() and not new_key:
        return identity.read(file).key
    waiting = waiting_key(file)
    if waiting.exists():
        return pem.key(private_files.read(waiting), waiting)
    key = certificates.new_key()
    private_files.make_folder(file.parent)
    private_files.write(waiting, pem.of_key(key))
    return key


def _key_of(certificate: x509.Certificate, file: Path) -> EllipticCurvePrivateKey:
    for candidate in (waiting_key(file), file):
        if candidate.exists():
            key = pem.key(private_files.read(candidate), candidate)
            if key.public_key() == certificate.public_key():
                return key
    raise KeysError(f"the certificate of {pem.common_name(certificate)} fits neither the key in {file} nor one that waits beside it")
