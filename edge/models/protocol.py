"""Defines what a scorer and its child say to each other, over pipes: packets, each a little-endian length and so many bytes.

The parent opens with the model (edge.models.runnable), the child with READY and its runtime's name, or UNUSABLE and the reason. A request
is the number of rows, that of columns, and the features before normalisation; the reply is OK with low, score and high of each row in the
bundle's unit, or FAILED with the reason. Numbers are little-endian float64.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import BinaryIO

from edge.models.outputs import COLUMNS

OK, READY, FAILED, UNUSABLE = b"K", b"R", b"F", b"U"
MAX_PACKET = 64 << 20
LENGTH = struct.Struct("<I")
SHAPE = struct.Struct("<II")


def packet(body: bytes) -> bytes:
    return LENGTH.pack(len(body)) + body


def send(sink: BinaryIO, body: bytes) -> None:
    """Writes one packet."""
    sink.write(packet(body))
    sink.flush()


def request(features: Sequence[Sequence[float]]) -> bytes:
    numbers = [number for row in features for number in row]
    return SHAPE.pack(len(features), len(features[0])) + struct.pack(f"<{len(numbers)}d", *numbers)


def scores(reply: bytes, rows: int) -> list[tuple[float, ...]]:
    """Reads low, score and high of each row of an OK reply. Raises ValueError if it is not one of so many rows."""
    count = rows * len(COLUMNS)
    if len(reply) != len(OK) + 8 * count:
        raise ValueError(f"answered {len(reply)} bytes for {rows} rows")
    numbers = struct.unpack_from(f"<{count}d", reply, len(OK))
    return [numbers[at : at + len(COLUMNS)] for at in range(0, count, len(COLUMNS))]
