"""Defines what a way of writing messages is: bytes become documents, which are tables, lists, texts, numbers, booleans and nulls."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol


class Document(NamedTuple):
    """Holds a decoded document and the bytes that it was."""

    content: Any
    body: bytes


class Documents(Protocol):
    """Decodes a payload."""

    def __call__(self, payload: bytes, arrived_us: int) -> list[Document]:
        """Raises PayloadError, and nothing else, whatever the bytes. What it returns is no larger than the payload allows."""
        ...
