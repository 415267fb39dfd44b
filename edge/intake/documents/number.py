"""Decodes a payload that is one value: a bare number, a word, true or false. Pure."""

from __future__ import annotations

from edge.intake.documents.document import Document
from edge.intake.documents.unwrap import unwrapped
from edge.reading import PayloadError

_MAX_BYTES = 64


def number_documents(payload: bytes, arrived_us: int) -> list[Document]:
    body = unwrapped(payload)
    try:
        text = body.decode().strip()
    except UnicodeDecodeError as error:
        raise PayloadError("wrong_type", "not a text that is a number") from error
    if not text:
        raise PayloadError("wrong_type", "the message is empty: some senders clear so what the broker keeps")
    if len(text) > _MAX_BYTES:
        raise PayloadError("wrong_type", f"a text of {len(text)} characters is no number")
    return [Document(_number(text), payload)]


def _number(text: str) -> float | str:
    try:
        # Python reads 1_000 as a number, which nobody else does.
        return float(text) if "_" not in text else text
    except ValueError:
        return text
