"""Says how the archive keeps what came: as entries of export files, by kind and day received, from which batch mode rebuilds every table.

An entry is the message as it was sent, with one attribute more: when it was received. What could not be decoded is kept too, so that a
mended decoder finds it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from pipeline.elements import ArchiveEntry, DecodedBatches, ReceivedMessage, TableRows
from schemas.envelope import EnvelopeError, entry, micros, time_of

RECEIVED_TIME = "archive_received_time"
"""Attribute of an archived entry, in microseconds since 1970; it is no part of the message."""

UNDECODABLE = "undecodable"
"""The kind under which messages are kept that are no batch."""

SUFFIX = ".tbb"
ARRIVED = "new-"
"""A file's name begins so until it is gathered with others of its kind and day."""


def of_batches(batches: DecodedBatches) -> Iterator[ArchiveEntry]:
    """Keeps the messages of batches, which must have been decoded with them."""
    return (_entry(batches.kind, message) for message in batches.messages)


def of_rejects(rows: TableRows) -> Iterator[ArchiveEntry]:
    """Keeps the messages that became these rejects; when they were set aside counts as when they were received."""
    for row in rows.rows.select(["payloadBytes", "attributes", "timestamp"]).to_pylist():
        attributes = {pair["key"]: pair["value"] for pair in row["attributes"]}
        yield _entry(UNDECODABLE, ReceivedMessage(attributes, row["payloadBytes"], row["timestamp"]))


def restored(attributes: Mapping[str, str]) -> tuple[dict[str, str], datetime | None]:
    """Returns a message's own attributes, and when it was received if they are those of an archived entry."""
    if RECEIVED_TIME not in attributes:
        return dict(attributes), None
    own = {name: value for name, value in attributes.items() if name != RECEIVED_TIME}
    try:
        return own, time_of(attributes, RECEIVED_TIME)
    except EnvelopeError:
        return own, None


def file_name(content: bytes, prefix: str = "") -> str:
    """Names a file after what is in it: written again by a retry, it is the same file."""
    return f"{prefix}{hashlib.sha256(content).hexdigest()[:24]}{SUFFIX}"


def by_place(entries: Iterable[ArchiveEntry]) -> dict[str, bytes]:
    """Joins the entries of each place."""
    contents: dict[str, list[bytes]] = {}
    for place, content in entries:
        contents.setdefault(place, []).append(content)
    return {place: b"".join(parts) for place, parts in contents.items()}


def portions(sizes: Mapping[str, int], most_bytes: int, most_files: int) -> Iterator[tuple[str, list[str]]]:
    """Yields the files of each place that become one: so many at most, and no more than so many bytes but for the last."""
    for place, paths in groupby(sorted(sizes, key=lambda path: (_place_of(path), path)), _place_of):
        portion, size = list[str](), 0
        for path in paths:
            portion.append(path)
            size += sizes[path]
            if size >= most_bytes or len(portion) >= most_files:
                yield place, portion
                portion, size = [], 0
        if portion:
            yield place, portion


def _place_of(path: str) -> str:
    return "/".join(path.replace("\\", "/").split("/")[-3:-1])


def _entry(kind: str, message: ReceivedMessage) -> ArchiveEntry:
    attributes: dict[str, Any] = {**message.attributes, RECEIVED_TIME: str(micros(message.received_time))}
    return ArchiveEntry(f"kind={kind}/day={message.received_time:%Y-%m-%d}", entry(attributes, message.body))
