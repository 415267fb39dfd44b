"""Keeps labels: in a file of lines, or in the warehouse. A label is kept when `add` returns; kept again it counts once, by its identity."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec
from google.cloud import bigquery

from labels.said import LabelError
from schemas.records import Label
from sql.insertion import insert


class Store(Protocol):
    """Takes labels. Raises OSError or GoogleAPICallError if they could not be kept."""

    def add(self, labels: Sequence[Label]) -> None: ...


class LabelFile:
    """Is a file with a label a line, as JSON, on disk when `add` returns. Threads and processes may add to it at once.

    A last line that was not finished was never kept, and is passed over; one that lacks no more than its end is a label, as other programs
    write it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, labels: Sequence[Label]) -> None:
        lines = b"".join(json.dumps(asdict(label), default=datetime.isoformat).encode() + b"\n" for label in labels)
        with self._path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            _end_last_line(file)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> Iterator[Label]:
        """Yields the labels of the file, and leaves it as it is. Raises LabelError for a line that is none, OSError."""
        for number, line in enumerate(self._path.read_bytes().splitlines(keepends=True), 1):
            if not line.endswith(b"\n") and not _is_whole(line):
                return
            try:
                yield msgspec.convert(msgspec.json.decode(line), Label)
            except msgspec.MsgspecError as error:
                raise LabelError(f"{self._path}, line {number}: {error}") from error


def _end_last_line(file: BinaryIO) -> None:
    """Ends a last line that has no end, or cuts it off if it was not finished."""
    file.seek(0)
    content = file.read()
    begin = content.rfind(b"\n") + 1
    if begin == len(content):
        return
    if _is_whole(content[begin:]):
        file.write(b"\n")
    else:
        file.truncate(begin)


def _is_whole(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except msgspec.DecodeError:
        return False
    return True


class WarehouseLabels:
    """Is the table labels_v1."""

    def __init__(self, client: bigquery.Client) -> None:
        self._client = client

    def add(self, labels: Sequence[Label]) -> None:
        insert(self._client, labels)
