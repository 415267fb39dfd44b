"""Makes and reads the private keys that sign releases: Ed25519, one file each, for its owner alone."""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner

from keys import private_files
from releases.error import ReleaseError


def create(file: Path) -> CryptoSigner:
    """Makes a key and writes it. Raises KeysError, also if the file is there already."""
    private_files.make_folder(file.parent)
    private_files.refuse_existing(file)
    signer = CryptoSigner.generate_ed25519()
    private_files.write(file, signer.private_bytes)
    return signer


def read(file: Path) -> CryptoSigner:
    """Reads a key. Raises KeysError, and ReleaseError for a file that holds none."""
    try:
        key = load_pem_private_key(private_files.read(file), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ReleaseError(f"{file} holds no private key in PEM, or one under a passphrase") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ReleaseError(f"{file} holds a key of another kind than Ed25519")
    return CryptoSigner(key)
