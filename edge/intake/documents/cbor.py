"""Decodes CBOR (RFC 8949). Pure; cbor2 is imported when the first class of a gateway asks for it."""

from __future__ import annotations

from typing import Any

from edge.intake.documents.document import Document
from edge.intake.documents.unwrap import unpacked
from edge.reading import PayloadError

MAX_DEPTH = 32


def cbor_documents(payload: bytes, arrived_us: int) -> list[Document]:
    return [Document(decoded(unpacked(payload)), payload)]


def decoded(payload: bytes) -> Any:
    """Raises PayloadError."""
    import cbor2

    try:
        return cbor2.loads(payload, max_depth=MAX_DEPTH)
    except Exception as error:  # cbor2 raises whatever the constructor of a tag's type raises
        raise PayloadError("malformed_cbor", f"not valid CBOR: {type(error).__name__}: {error}") from error
