"""Writes what a registry says of a gateway: its name and the public key of its certificate."""

from __future__ import annotations

from pathlib import Path

from keys import pem, private_files
from schemas.key_agreement import as_registered


def registry_entry(file: Path) -> str:
    """Returns the `[[gateways]]` of registry.toml for the first certificate in a file. Raises KeysError."""
    certificate = pem.chain(private_files.read(file), file)[0]
    key = as_registered(pem.public_key(certificate, file))
    return (
        f'[[gateways]]\ngateway_id = "{pem.common_name(certificate)}"\npublic_key = "{key}"\n'
        f"valid_from = {certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}\n"
    )
