"""Writes the outbox to export files, for a gateway without an uplink. The batches stay in the store: the cloud drops repeats for ever.

Guarantees that an export file is there whole, durable, or not at all, whenever the power goes or the disk is full.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.store.store import OutboxBatch, Store
from edge.uplink.signer import Sign, unsigned
from program.files import write_durably
from schemas.envelope import Envelope, entry
from schemas.message import all_attributes

MAX_FILE_BYTES = 64_000_000
"""A file is closed before it would become larger."""
_READ_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class ExportFile:
    """Describes a file that was written."""

    path: Path
    batches: int
    bytes: int


def export(store: Store, directory: Path, sign: Sign = unsigned, max_file_bytes: int = MAX_FILE_BYTES) -> list[ExportFile]:
    """Writes every waiting batch, in order, to files gateway-epoch-firstseq.tbb. Raises OSError; files named then are whole."""
    directory.mkdir(parents=True, exist_ok=True)
    return [_write(directory, first, entries) for first, entries in _portions(store, sign, max_file_bytes)]


def _portions(store: Store, sign: Sign, max_bytes: int) -> Iterator[tuple[Envelope, list[bytes]]]:
    """Yields the first envelope and the entries of each file."""
    first, entries, size = None, list[bytes](), 0
    for batch in _waiting(store, sign):
        packed = entry(all_attributes(batch.envelope, batch.signature), batch.body)
        if first and size + len(packed) > max_bytes:
            yield first, entries
            first, entries, size = None, [], 0
        first = first or batch.envelope
        entries.append(packed)
        size += len(packed)
    if first:
        yield first, entries


def _waiting(store: Store, sign: Sign) -> Iterator[OutboxBatch]:
    last = 0
    while batches := store.batches(last, _READ_AT_ONCE):
        yield from sign(batches)
        last = batches[-1].key


def _write(directory: Path, first: Envelope, entries: list[bytes]) -> ExportFile:
    # Not the epoch of the store: batches of an earlier one may wait, and a later file would have the name of theirs.
    path = directory / f"{first.gateway_id}-{first.epoch}-{first.seq}.tbb"
    write_durably(path, entries, path.with_suffix(".tbb.part"))
    return ExportFile(path, len(entries), sum(map(len, entries)))
