"""Says when a repeat of a batch may be acknowledged: once the batch is known to be written, never before. Pure.

A repeat may be the very message whose rows are still on their way, delivered once more: were it acknowledged early, a crash would lose
them. Repeats wait in the state of their bucket; so do the names of all written batches, as intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from pipeline.elements import BatchName
from pipeline.known_batches import KnownBatches
from pipeline.state import StateFormat

Report = tuple[str, int, int, str]
"""Is the name of a batch, and the id of a repeat of it; an empty id says that the batch is written."""

WAITING = StateFormat("waiting_repeats", 1, tuple[Report, ...])
"""Holds the repeats of batches that are not known to be written."""

_REPORTS: msgspec.msgpack.Decoder[tuple[Report, ...]] = msgspec.msgpack.Decoder(tuple[Report, ...])


def pack_written(names: Iterable[BatchName]) -> bytes:
    """Packs the news that batches of a bucket are written."""
    return msgspec.msgpack.encode([(*name, "") for name in names])


def pack_repeats(repeats: Iterable[tuple[BatchName, str]]) -> bytes:
    """Packs the news that repeats of batches of a bucket came, with their ids."""
    return msgspec.msgpack.encode([(*name, ack_id) for name, ack_id in repeats])


class Repeats:
    """Knows the written batches of one bucket, and the repeats that wait: `repeats.hear(packed)` yields the ids to acknowledge now."""

    def __init__(self, written: bytes | None = None, waiting: bytes | None = None) -> None:
        self._written = KnownBatches(written)
        self._waiting = list(WAITING.unpack(waiting) or ())

    def hear(self, packed: bytes) -> Iterator[str]:
        """Takes news in; yields the ids of repeats whose batches are written."""
        for gateway_id, epoch, seq, ack_id in _REPORTS.decode(packed):
            if ack_id:
                self._waiting.append((gateway_id, epoch, seq, ack_id))
            else:
                self._written.add(gateway_id, epoch, seq)
        waiting, self._waiting = self._waiting, []
        for report in waiting:
            if self._written.knows(*report[:3]):
                yield report[3]
            else:
                self._waiting.append(report)

    def pack(self) -> tuple[bytes, bytes]:
        """Returns the states: of what is written, and of what waits."""
        return self._written.pack(), WAITING.pack(tuple(self._waiting))
