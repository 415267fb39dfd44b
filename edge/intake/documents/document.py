"""Defines what a way of writing messages is: bytes become documents.

They are tables, lists, texts, numbers, quantities, booleans and nulls.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol


class Document(NamedTuple):
    """Holds a decoded document and the bytes that it was."""

    content: Any
    body: bytes


class Quantity(NamedTuple):
    """Holds a value whose message says its unit."""

    value: Any
    unit: str


class Documents(Protocol):
    """Decodes a payload."""

    def __call__(self, payload: bytes, arrived_us: int) -> list[Document]:
        """Raises PayloadError, and nothing else, whatever the bytes. What it returns is no larger than the payload allows."""
        ...
