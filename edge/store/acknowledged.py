"""Notes beside a store up to which reading it acknowledged, so that a log that lost its end, of which SQLite says nothing, is noticed.

A note is written after each commit and not synced: after a loss of power it is of before, and evidence of nothing. It is never ahead of
what was committed.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from edge.store.journal import Journal
from program import logs

_log = logs.get(__name__)
_NOTE = struct.Struct(">QqI")


def acknowledged_file(store: Path) -> Path:
    """Names the file beside a store."""
    return store.with_name(store.name + ".acknowledged")


class Acknowledged:
    """Keeps the note. A disk that does not take it is no fault here.

    Usage: `acknowledged.count_lost(epoch, journal)` at the start, then `acknowledged.note(epoch, last_id)` after each commit.
    """

    def __init__(self, store: Path) -> None:
        self._store, self._file = store, -1
        with suppress(OSError):
            self._file = os.open(acknowledged_file(store), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def count_lost(self, epoch: int, journal: Journal) -> None:
        """Counts readings that were acknowledged in that epoch and are not in the journal: its log lost its end, or it was put back."""
        if lost := self.beyond(epoch, journal.last_id):
            text = "%s: %d readings that were acknowledged are lost: the end of its log is damaged, or it was put back"
            _log.error(text, self._store, lost)
            journal.note_lost(lost)

    def beyond(self, epoch: int, last_id: int) -> int:
        """Returns how many readings behind this one were acknowledged in that epoch; 0 if that is not known."""
        with suppress(OSError, struct.error):
            noted_epoch, noted_id, checksum = _NOTE.unpack(os.pread(self._file, _NOTE.size, 0))
            if noted_epoch == epoch and checksum == _sum(noted_epoch, noted_id):
                return max(int(noted_id) - last_id, 0)
        return 0

    def note(self, epoch: int, last_id: int) -> None:
        with suppress(OSError):
            os.pwrite(self._file, _NOTE.pack(epoch, last_id, _sum(epoch, last_id)), 0)

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._file)
        self._file = -1


def _sum(epoch: int, last_id: int) -> int:
    return crc32(struct.pack(">Qq", epoch, last_id))
