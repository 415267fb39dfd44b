"""Reads what a file of Google's credentials says of itself, with none of Google's code and no secret."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NONE: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Says whom the file lets in: a service account by its key, or who shows a certificate. Neither is named where the file names none.

    What says where a token is to be had, `external_account`, holds no secret itself.
    """

    service_account: str | None = None
    certificate: Path | None = None
    is_secret: bool = True


def read(file: Path) -> Credentials:
    """Reads the file, and the one that it names where a certificate is shown. Raises ValueError and OSError."""
    content = _object(file)
    if content.get("type") == "service_account":
        return Credentials(service_account=str(content.get("client_email")))
    source = content.get("credential_source") or _NONE
    place = (source.get("certificate") or _NONE).get("certificate_config_location")
    certificate = _certificate(Path(place)) if place else None
    return Credentials(certificate=certificate, is_secret=content.get("type") != "external_account")


def _certificate(file: Path) -> Path:
    try:
        return Path(_object(file)["cert_configs"]["workload"]["cert_path"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{file} names no cert_configs.workload.cert_path") from error


def _object(file: Path) -> dict[str, Any]:
    content = json.loads(file.read_text())
    if not isinstance(content, dict):
        raise ValueError(f"{file} is no JSON object")  # noqa: TRY004 - what is wrong is the file's text
    return content
