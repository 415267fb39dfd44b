"""Tells the engine how what holds rows travels, and how large it is without packing it: an engine counts the bytes of what passes between
steps on one worker, too, and would pack each element for that alone.
"""

from __future__ import annotations

import pickle
from typing import Any

from apache_beam.coders import Coder, typecoders

from pipeline.elements import DecodedBatches, RowGroup, TableRows


class RowsCoder(Coder):
    """Packs elements that have `rows`."""

    def encode(self, value: Any) -> bytes:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)

    def decode(self, encoded: bytes) -> Any:
        return pickle.loads(encoded)  # noqa: S301 - what a worker of ours packed

    def estimate_size(self, value: Any) -> int:
        size: int = value.rows.get_total_buffer_size()
        return size

    def is_deterministic(self) -> bool:
        return False


def register() -> None:
    """Makes this the coder of the elements of the flow."""
    for kind in (DecodedBatches, RowGroup, TableRows):
        typecoders.registry.register_coder(kind, RowsCoder)
