"""Makes the pipeline's key, with which it and each gateway agree on how batches are signed."""

from __future__ import annotations

from pathlib import Path

from keys import certificates, pem, private_files

PRIVATE, PUBLIC = "pipeline.key", "pipeline.pub"


def create(folder: Path) -> tuple[Path, Path]:
    """Writes the private key for the pipeline and the public one for gateways. Returns both files. Raises KeysError."""
    private_files.make_folder(folder)
    private, public = folder / PRIVATE, folder / PUBLIC
    private_files.refuse_existing(private, public)
    key = certificates.new_key()
    private_files.write(private, pem.of_key(key))
    private_files.write(public, pem.of_public_key(key.public_key()), private_files.PUBLIC_MODE)
    return private, public
