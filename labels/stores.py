"""Keeps labels: in a file of lines, or in the warehouse. A label is kept when `add` returns; kept again it counts once, by its identity."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec
from google.cloud import bigquery

from labels.said import LabelError
from schemas.records import Label
from sql.insertion import insert


class Store(Protocol):
    """Takes labels. Raises OSError or GoogleAPICallError if they could not be kept."""

    def add(self, labels: Sequence[Label]) -> None: ...


class LabelFile:
    """Is a file with a label a line, as JSON, on disk when `add` returns. May be used by several threads of one process."""

    def __init__(self, path: Path) -> None:
        """Cuts off a line that was not finished, and so never kept. Raises OSError."""
        self._path, self._lock = path, threading.Lock()
        if path.exists() and not (content := path.read_bytes()).endswith(b"\n"):
            os.truncate(path, content.rfind(b"\n") + 1)

    def add(self, labels: Sequence[Label]) -> None:
        lines = b"".join(json.dumps(asdict(label), default=datetime.isoformat).encode() + b"\n" for label in labels)
        with self._lock, self._path.open("ab") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> Iterator[Label]:
        """Yields the labels of the file. Raises LabelError for a line that is none, OSError."""
        for number, line in enumerate(self._path.read_bytes().splitlines(), 1):
            try:
                yield msgspec.convert(msgspec.json.decode(line), Label)
            except msgspec.MsgspecError as error:
                raise LabelError(f"{self._path}, line {number}: {error}") from error


class WarehouseLabels:
    """Is the table labels_v1."""

    def __init__(self, client: bigquery.Client) -> None:
        self._client = client

    def add(self, labels: Sequence[Label]) -> None:
        insert(self._client, labels)
