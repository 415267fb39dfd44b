"""Knows the ends of the certificate by which the gateway enters a broker, and what that makes of a connection that does not stand.

A child process reads it (edge.certificate_child): what reads certificates takes 14 MB, is needed once for each, and cannot be
unloaded.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from keys.lifetime import Lifetime
from program import logs
from program.child import ChildFailed, answer
from program.files import FileState, file_state
from schemas.records import LinkState

_CHILD_SECONDS = 20.0
_UNSEEN = (0, 0, 0)

_log = logs.get(__name__)


class OwnCertificate:
    """Has the file of a setting read again when it has changed. Usage: `certificate.end()`, as often as one likes.

    Not thread-safe.
    """

    def __init__(self, setting: str, file: Path | None) -> None:
        self._setting, self._file = setting, file
        self._seen: FileState | None = _UNSEEN
        self._lifetime: Lifetime | None = None

    def end(self) -> datetime | None:
        """Returns when it ends, None if there is none. While the file is no certificate, what it was before counts."""
        lifetime = self.lifetime()
        return lifetime.end if lifetime else None

    def lifetime(self) -> Lifetime | None:
        """Returns from when to when it is good, None if there is none."""
        if self._file and (state := file_state(self._file)) != self._seen:
            self._seen = state
            self._lifetime = _read(self._setting, self._file) or self._lifetime
        return self._lifetime


def state_of(connection: LinkState, end: datetime | None, now: datetime) -> LinkState:
    """Says cert_expired of a connection that cannot come back before the certificate, which ended at `end`, is renewed."""
    has_expired = end is not None and now > end
    return LinkState.CERT_EXPIRED if has_expired and connection == LinkState.OFFLINE else connection


def _read(setting: str, file: Path) -> Lifetime | None:
    try:
        found = json.loads(answer("edge.certificate_child", str(file), seconds=_CHILD_SECONDS))
    except ChildFailed as error:
        _log.warning("%s %s cannot be read: %s", setting, file, error)
        return None
    return Lifetime(*(datetime.fromtimestamp(found[name], UTC) for name in ("start", "end")))
