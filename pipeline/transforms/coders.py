"""Tells the engine how the elements of the flow travel, and how large they are without packing them: an engine counts the bytes of what
passes between steps on one worker, too, and would pack elements for that alone.
"""

from __future__ import annotations

import pickle
from typing import Any

from apache_beam.coders import Coder, typecoders

from pipeline.elements import DecodedBatches, Delivery, ReceivedMessage, RowGroup, TableRows


class _Pickled(Coder):
    def encode(self, value: Any) -> bytes:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)

    def decode(self, encoded: bytes) -> Any:
        return pickle.loads(encoded)  # noqa: S301 - what a worker of ours packed

    def is_deterministic(self) -> bool:
        return False


class MessageCoder(_Pickled):
    """Packs messages."""

    def estimate_size(self, value: ReceivedMessage) -> int:
        return len(value.body)


class RowsCoder(_Pickled):
    """Packs elements that have `rows`."""

    def estimate_size(self, value: DecodedBatches | RowGroup | TableRows) -> int:
        size: int = value.rows.get_total_buffer_size()
        return size


class DeliveryCoder(_Pickled):
    """Packs deliveries."""

    def estimate_size(self, value: Delivery) -> int:
        return sum(table.rows.get_total_buffer_size() for table in value.tables)


def register() -> None:
    """Makes these the coders of the elements of the flow."""
    typecoders.registry.register_coder(ReceivedMessage, MessageCoder)
    typecoders.registry.register_coder(Delivery, DeliveryCoder)
    for kind in (DecodedBatches, RowGroup, TableRows):
        typecoders.registry.register_coder(kind, RowsCoder)
