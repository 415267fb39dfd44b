"""Keeps room on the disk beside a store: when others fill the disk it is given up, so that what has arrived can still be removed.

Nothing that the store is to keep is written into that room: readings are refused until the reserve is whole again.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from edge.store.faults import StoreFull
from program import logs

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}

_log = logs.get(__name__)
_Result = TypeVar("_Result")


def reserve_file(store: Path) -> Path:
    """Names the file beside a store."""
    return store.with_name(store.name + ".reserve")


class Reserve:
    """Is a file of so many bytes, which is there or not. Not thread-safe: the store locks around it.

    Usage: `reserve.require()` before readings are taken; `reserve.lent(work)` for work that makes room.
    """

    def __init__(self, store: Path, size: int) -> None:
        self._file, self._bytes, self._is_whole = reserve_file(store), size, False

    def require(self) -> None:
        """Raises StoreFull while the disk has no room for it."""
        if not self.restore():
            raise StoreFull(f"{self._file}: others have filled the disk, which needs {self._bytes} bytes free for this file")

    def restore(self) -> bool:
        """Makes it whole where there is room; says whether it is. A file system that cannot set room aside does without."""
        if not self._is_whole:
            try:
                self._allocate()
            except OSError as error:
                if error.errno in _NO_ROOM:
                    self._file.unlink(missing_ok=True)
                    return False
                _log.warning("%s: no room can be set aside: %s", self._file, error)
            self._is_whole = True
        return True

    def lent(self, work: Callable[[], _Result]) -> _Result:
        """Does work that makes room; if the disk is full, once more in the room of the reserve. Raises StoreFull if that is no help."""
        try:
            return work()
        except StoreFull:
            if not self._give_up():
                raise
            return work()

    def _give_up(self) -> bool:
        """Says whether there was any."""
        self._is_whole = False
        try:
            self._file.unlink()
        except FileNotFoundError:
            return False
        _log.warning("%s: the disk is full; its room is given up for what makes room", self._file)
        return True

    def _allocate(self) -> None:
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, self._bytes)
            os.posix_fallocate(descriptor, 0, self._bytes)
        finally:
            os.close(descriptor)
