"""Says what `tinybeam edge doctor` sees of Google's credentials without asking anybody: whose they are, and until when they are good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from edge import certificate_findings
from edge.finding import Finding, Status, of_secret
from edge.uplink.credentials import read

_SETTING = "uplink.credentials_file"


def of_credentials(file: Path, now: datetime) -> Iterator[Finding]:
    """Yields a warning for the key of a service account, and who may read it; the dates of a certificate, whose file holds no secret."""
    try:
        credentials = read(file)
    except (OSError, ValueError) as error:
        yield Finding("uplink", Status.FAIL, f"{_SETTING} {file}: {error}", "put credentials there, and the files that they name")
        return
    if credentials.is_secret:
        yield of_secret(_SETTING, file)
    if credentials.service_account:
        text = f"{_SETTING} {file} is a key of the service account {credentials.service_account}: who copies it is this gateway, for good"
        yield Finding("uplink", Status.WARN, text, "let the gateway in by its certificate, and delete the key in the project")
    if credentials.certificate:
        yield from certificate_findings.of_own(f"{_SETTING}, certificate", credentials.certificate, now)
