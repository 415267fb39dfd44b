"""Decodes JSON: one document, or one a line. NaN and Infinity, which some senders write, are read as numbers that are not finite. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from edge.intake.documents.document import Document
from edge.intake.documents.unwrap import unwrapped
from edge.reading import PayloadError

MAX_LINES = 10_000
_WORD = re.compile(rb"\s*[A-Za-z][\w -]{0,30}\s*")
_decoder = msgspec.json.Decoder()


def json_documents(payload: bytes, arrived_us: int) -> list[Document]:
    try:
        return [Document(_decoder.decode(payload), payload)]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        body = unwrapped(payload)
    if not body.strip():
        raise PayloadError("malformed_json", "the message is empty: some senders clear so what the broker keeps")
    try:
        return [Document(_tolerant(body), payload)]
    except PayloadError:
        lines = [line for line in body.splitlines() if line.strip()]
        if len(lines) < 2 or not lines[0].lstrip().startswith((b"{", b"[")):
            raise
    if len(lines) > MAX_LINES:
        raise PayloadError("oversized", f"{len(lines)} lines in one message, more than {MAX_LINES}")
    documents = [_line(line) for line in lines]
    if all(isinstance(document.content, Malformed) for document in documents):
        raise PayloadError("malformed_json", "not valid JSON, neither as a whole nor by lines")
    return documents


class Malformed(msgspec.Struct, frozen=True):
    """Stands for a line that is no JSON; its neighbours are read."""

    reason: str
    message: str


def _line(line: bytes) -> Document:
    try:
        return Document(_tolerant(line), line)
    except PayloadError as error:
        return Document(Malformed(error.reason, str(error)), line)


def _tolerant(body: bytes) -> Any:
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as strict:
        try:
            # Python's own takes NaN and numbers beyond all bounds for numbers, which they are: not finite ones.
            return json.loads(body)
        except (ValueError, RecursionError):
            hint = '; a word by itself is read by format = "number" of [sensors.payload]' if _WORD.fullmatch(body) else ""
            raise PayloadError("malformed_json", f"not valid JSON: {strict}{hint}") from strict
