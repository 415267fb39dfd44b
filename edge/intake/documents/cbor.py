"""Decodes CBOR (RFC 8949). Pure; cbor2 is imported when the first class of a gateway asks for it.

Of tags only times are read. Shared references are refused: a few bytes of them are a document without end.
"""

from __future__ import annotations

from typing import Any

from edge.intake.documents.document import Document
from edge.intake.documents.unwrap import unpacked
from edge.reading import PayloadError

MAX_DEPTH = 32
_REFUSED_TAGS = (2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43_000)
"""Those that cbor2 decodes to something else than what a message holds: large integers, references, patterns, addresses."""


def cbor_documents(payload: bytes, arrived_us: int) -> list[Document]:
    return [Document(decoded(unpacked(payload), text_keys=True), payload)]


def decoded(payload: bytes, *, text_keys: bool) -> Any:
    """Raises PayloadError. `text_keys`: those of tables are texts; numbers can be chosen so that tables become slow."""
    import cbor2

    try:
        return cbor2.loads(
            payload, max_depth=MAX_DEPTH, semantic_decoders=dict.fromkeys(_REFUSED_TAGS, _refuse), strict_hashable_types=text_keys
        )
    except Exception as error:  # cbor2 raises whatever the constructor of a tag's type raises
        raise PayloadError("malformed_cbor", f"not valid CBOR: {type(error).__name__}: {error}") from error


def _refuse(*_: Any) -> None:
    raise ValueError("a tag that no message needs")
