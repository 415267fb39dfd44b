"""Keeps rows as Parquet files until their load: what is written lies there whole, under a name that no other file has."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems


def write(folder: str, begin: str, table: str, rows: Sequence[pa.RecordBatch]) -> str:
    """Writes rows of a table into a file whose name begins so; returns its path."""
    path = str(FileSystems.join(folder, f"{begin}-{table}-{uuid4().hex}.parquet"))
    _make_folder(folder)
    with FileSystems.create(path, mime_type="application/octet-stream") as file:
        pq.write_table(_writable(pa.Table.from_batches(rows)), file, compression="zstd")
    return path


def read(files: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yields the rows of files."""
    for path in files:
        with FileSystems.open(path) as file:
            yield from pq.read_table(pa.BufferReader(file.read())).to_batches()


@contextmanager
def joined(files: Sequence[str]) -> Iterator[BinaryIO]:
    """Gives the rows of local files as one file, from its start."""
    with tempfile.TemporaryFile() as whole:
        with pq.ParquetWriter(whole, pq.read_schema(files[0]), compression="zstd") as writer:
            for file in files:
                writer.write_table(pq.read_table(file))
        whole.seek(0)
        yield whole


def _writable(rows: pa.Table) -> pa.Table:
    """Returns rows that Parquet takes: a column that may not lack values and does is for the warehouse to refuse."""
    fields = [field.with_nullable(nullable=field.nullable or rows.column(field.name).null_count > 0) for field in rows.schema]
    return rows.cast(pa.schema(fields))


def _make_folder(folder: str) -> None:
    """Makes the folder on a local disk; object stores have none."""
    if "://" not in folder:
        _ignore_existing(FileSystems.mkdirs, folder)


def _ignore_existing(make: Callable[[str], None], folder: str) -> None:
    try:
        make(folder)
    except OSError:
        if not FileSystems.exists(folder):
            raise
