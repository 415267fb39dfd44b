"""Writes what a registry says of a gateway: its name and the public key of its certificate."""

from __future__ import annotations

import base64
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys import pem, private_files


def registry_entry(file: Path) -> str:
    """Returns the `[[gateways]]` of registry.toml for the first certificate in a file. Raises KeysError."""
    certificate = pem.chain(private_files.read(file), file)[0]
    key = pem.public_key(certificate, file).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return (
        f'[[gateways]]\ngateway_id = "{pem.common_name(certificate)}"\npublic_key = "{base64.b64encode(key).decode()}"\n'
        f"valid_from = {certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}\n"
    )
