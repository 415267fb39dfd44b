"""Power cuts and disk faults for the store: records every write and sync that SQLite makes, can let one fail, and makes the disks
that a power cut could leave behind.

The model: what a file was written is durable once a later sync of that file returned. What is not may be there, be missing, or be torn
at sectors of 512 bytes, each write independently of the others. A deletion is durable once any
file was synced, as on ext4 and XFS. The store runs its own SQL and pragmas, on an apsw connection.
"""

import random
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

_SECTOR = 512
_CODES = {apsw.FullError: sqlite3.SQLITE_FULL, apsw.IOError: sqlite3.SQLITE_IOERR, apsw.BusyError: sqlite3.SQLITE_BUSY}


@dataclass(frozen=True, slots=True)
class Operation:
    """One write, truncation, sync or deletion of a file, by its name."""

    what: str
    file: str
    offset: int = 0
    data: bytes = b""


class _File(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], recorder: "Recorder") -> None:
        super().__init__("", name, flags)
        self._name, self._recorder = Path(name.filename() if isinstance(name, apsw.URIFilename) else name).name, recorder

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._recorder.note(Operation("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._recorder.note(Operation("truncate", self._name, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._recorder.note(Operation("sync", self._name))
        super().xSync(flags)


class Recorder(apsw.VFS):
    """The file system on which the store runs while it is recorded."""

    def __init__(self, name: str, *, synchronous: str = "full") -> None:
        super().__init__(name, "")
        self.log: list[Operation] = []
        self.fault: tuple[int, type[apsw.Error]] | None = None
        """The number of the operation that fails once, and how."""
        self._name, self._synchronous = name, synchronous

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802
        return _File(name, flags, self)

    def note(self, operation: Operation) -> None:
        self.log.append(operation)
        if self.fault and len(self.log) == self.fault[0]:
            raise self.fault[1]

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        self.log.append(Operation("delete", Path(filename).name))

    def connect(self, path: Path) -> "_Connection":
        return _Connection(apsw.Connection(str(path), vfs=self._name), self._synchronous)


class _Connection:
    """An apsw connection as the store expects one; with another `synchronous` than the store asks for as negative control."""

    def __init__(self, connection: apsw.Connection, synchronous: str) -> None:
        self._connection, self._synchronous = connection, synchronous

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> apsw.Cursor:
        sql = sql.replace("pragma synchronous = full", f"pragma synchronous = {self._synchronous}")
        with _as_sqlite3():
            return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        with _as_sqlite3():
            self._connection.executemany(sql, parameters)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def _as_sqlite3() -> Iterator[None]:
    """The errors that the store knows."""
    try:
        yield
    except apsw.Error as error:
        known = sqlite3.OperationalError(str(error))
        known.sqlite_errorcode = _CODES.get(type(error), sqlite3.SQLITE_ERROR)
        raise known from error


@dataclass(slots=True)
class _Disk:
    """One file: what is durable, and what was done to it since."""

    durable: bytes | None = None
    since: list[Operation] = field(default_factory=list)


def images(log: Sequence[Operation], cuts: Iterable[int], rng: random.Random) -> Iterator[tuple[int, dict[str, bytes]]]:
    """For each cut (a count of operations done, ascending) one disk that the loss of power then could leave, as files by name."""
    disks: dict[str, _Disk] = {}
    done = 0
    for cut in cuts:
        for operation in log[done:cut]:
            _follow(disks, operation)
        done = cut
        left = {name: _left(disk, rng) for name, disk in disks.items()}
        yield cut, {name: content for name, content in left.items() if content is not None}


def _follow(disks: dict[str, _Disk], operation: Operation) -> None:
    disks.setdefault(operation.file, _Disk()).since.append(operation)
    if operation.what == "sync":
        for name, disk in disks.items():
            if name == operation.file or any(earlier.what == "delete" for earlier in disk.since):
                _settle(disk)


def _settle(disk: _Disk) -> None:
    for operation in disk.since:
        disk.durable = _applied(disk.durable, operation)
    disk.since.clear()


def _left(disk: _Disk, rng: random.Random) -> bytes | None:
    content = disk.durable
    for operation in disk.since:
        dice = rng.random()
        if dice < 0.5:
            content = _applied(content, operation)
        elif dice < 0.75 and operation.what == "write":
            for at in range(0, len(operation.data), _SECTOR):
                if rng.random() < 0.5:
                    torn = Operation("write", operation.file, operation.offset + at, operation.data[at : at + _SECTOR])
                    content = _applied(content, torn)
    return content


def _applied(content: bytes | None, operation: Operation) -> bytes | None:
    if operation.what == "delete":
        return None
    if operation.what == "sync":
        return content
    after = bytearray(content or b"")
    if operation.what == "truncate":
        del after[operation.offset :]
    elif operation.what == "write":
        after.extend(bytes(max(0, operation.offset + len(operation.data) - len(after))))
        after[operation.offset : operation.offset + len(operation.data)] = operation.data
    return bytes(after)
