"""Publishes to a bucket of Cloud Storage, S3 or Azure by obstore: an object is there whole or not at all, and what fails is tried again.

Who may is found as each cloud's own tools do: by the environment, a file that it names, or the machine. `STORAGE_EMULATOR_HOST`,
`AWS_ENDPOINT_URL` and `AZURE_ENDPOINT` name another server than the cloud's, as for them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from releases import roles
from releases.error import ReleaseError

_CHANGING = {"Cache-Control": "no-cache"}
_LASTING = {"Cache-Control": "public, max-age=31536000, immutable"}


class Bucket:
    """Is a bucket, or a folder of one: `Bucket("gs://bucket/models")`."""

    def __init__(self, name: str) -> None:
        """Raises ReleaseError for an address that names no bucket."""
        self._name = name.rstrip("/")
        try:
            self._store = from_url(self._name, **_elsewhere(name, os.environ))
        except (BaseError, ValueError) as error:
            raise ReleaseError(f"{name} names no bucket that can be opened: {_brief(error)}") from error

    @property
    def name(self) -> str:
        return self._name

    def read(self, name: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise ReleaseError(f"{self._name}/{name} cannot be read: {_brief(error)}") from error

    def write(self, name: str, content: bytes) -> None:
        attributes: Any = _CHANGING if name.endswith(f"/{roles.TIMESTAMP}.json") else _LASTING
        try:
            obstore.put(self._store, name, content, attributes=attributes, use_multipart=False)
        except (BaseError, OSError) as error:
            raise ReleaseError(f"{self._name}/{name} cannot be written: {_brief(error)}") from error


def _elsewhere(name: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Returns the options for a server that is not the cloud's, as the variables of its clients name it."""
    if name.startswith("gs://") and (host := environment.get("STORAGE_EMULATOR_HOST")):
        nobody = {"gcs_base_url": host, "disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
        return {"config": {"service_account_key": json.dumps(nobody)}, "client_options": {"allow_http": True}}
    endpoints = (environment.get(name, "") for name in ("AWS_ENDPOINT_URL", "AZURE_ENDPOINT"))
    return {"client_options": {"allow_http": True}} if any(each.startswith("http://") for each in endpoints) else {}


def _brief(error: Exception) -> str:
    """Returns the first line of what the client says."""
    return str(error).partition("\n")[0]
