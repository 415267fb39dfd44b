"""Says which batches a gateway attests, so that it cannot deny later that it has made them.

A heartbeat carries blocks of batches and an ECDSA signature of them by the gateway's own key. What a batch is, its envelope and its body,
is hashed; a block is the hash of these hashes in the order of epoch and number. Nobody but the gateway can sign; everybody can check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

import msgspec

from schemas.intervals import IntervalSet
from schemas.signature import signed_bytes

_PURPOSE = b"tinybeam attested batches 1"
_FIELDS = 3

Number = tuple[int, int]
"""Epoch and number of a batch of one gateway."""


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names batches as [epoch, first, last, ...], ascending; `sha256` is that of their digests, in hexadecimal."""

    batches: tuple[int, ...]
    sha256: str

    def __post_init__(self) -> None:
        if len(self.batches) % _FIELDS or any(first > last for _, first, last in self._ranges()):
            raise ValueError("batches are not [epoch, first, last, ...]")

    @property
    def count(self) -> int:
        """Returns how many batches it names."""
        return sum(last - first + 1 for _, first, last in self._ranges())

    def numbers(self) -> Iterator[Number]:
        return ((epoch, number) for epoch, first, last in self._ranges() for number in range(first, last + 1))

    def _ranges(self) -> Iterator[tuple[int, int, int]]:
        return zip(*(self.batches[field::_FIELDS] for field in range(_FIELDS)), strict=False)


def digest(attributes: Mapping[str, str], body: bytes) -> bytes:
    """Returns the hash of all that a batch is. Raises KeyError if an attribute of its envelope is missing."""
    return sha256(signed_bytes(attributes, body)).digest()


def block(digests: Mapping[Number, bytes]) -> Block:
    """Returns the block of batches with these digests."""
    batches = list[int]()
    for epoch in sorted({epoch for epoch, _ in digests}):
        for first, last in IntervalSet.of(number for of, number in digests if of == epoch).intervals():
            batches += epoch, first, last
    return Block(tuple(batches), joined(digests[number] for number in sorted(digests)))


def joined(digests: Iterator[bytes]) -> str:
    """Returns the hash of a block whose batches have these digests, in their order."""
    return sha256(b"".join(digests)).hexdigest()


def written(blocks: Sequence[Block]) -> str:
    return msgspec.json.encode(blocks).decode()


def read(text: str) -> list[Block]:
    """Reads what `written` writes. Raises ValueError."""
    return msgspec.json.decode(text, type=list[Block])


def signed_digest(gateway_id: str, text: str) -> bytes:
    """Returns the SHA-256 that a gateway signs for blocks as they are written."""
    return sha256(b"\n".join((_PURPOSE, gateway_id.encode(), text.encode()))).digest()
