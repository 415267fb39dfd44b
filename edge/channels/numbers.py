"""Makes numbers of what stands in a message: as they are, as text, with a decimal comma, or as booleans where that is declared. Pure."""

from __future__ import annotations

import re
from typing import Any

from edge.reading import MAX_VALUE, PayloadError, shown
from edge.settings.payload import TextNumbers

_POINT = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_COMMA = re.compile(r"\s*[+-]?(?:\d+,?\d*|,\d+)\s*", re.ASCII)
_WORDS = {"true": 1.0, "on": 1.0, "yes": 1.0, "open": 1.0, "1": 1.0, "false": 0.0, "off": 0.0, "no": 0.0, "closed": 0.0, "0": 0.0}


def number(value: Any, channel: str, text_numbers: TextNumbers) -> float:
    """Returns a value that must be a number. Raises PayloadError, with the setting that helps."""
    if isinstance(value, str):
        return _of_text(value, channel, text_numbers)
    if isinstance(value, bool):
        raise PayloadError("wrong_type", f"{channel} is {str(value).lower()}: payload.booleans would make it 1 or 0")
    if isinstance(value, int | float):
        return finite(value, channel)
    raise PayloadError("wrong_type", f"{channel} is {shown(value)}, not a number")


def boolean(value: Any, channel: str) -> float:
    """Returns 1 or 0. Raises PayloadError."""
    word = shown(value).strip().lower() if isinstance(value, bool | int | str) else ""
    if word not in _WORDS:
        raise PayloadError("wrong_type", f"{channel} is {shown(value)!r}, neither true nor false")
    return _WORDS[word]


def finite(value: float, channel: str) -> float:
    """Raises PayloadError for what is not a number of at most MAX_VALUE."""
    if not -MAX_VALUE <= value <= MAX_VALUE:
        raise PayloadError("not_finite", f"{channel} is {shown(value)}, not a number of at most {MAX_VALUE:g}")
    return float(value)


def _of_text(text: str, channel: str, text_numbers: TextNumbers) -> float:
    if text_numbers == TextNumbers.POINT and _POINT.fullmatch(text):
        return finite(float(text), channel)
    if text_numbers == TextNumbers.COMMA and _COMMA.fullmatch(text):
        return finite(float(text.replace(",", ".")), channel)
    cure = ""
    if text_numbers == TextNumbers.NO and (_POINT.fullmatch(text) or _COMMA.fullmatch(text)):
        cure = f': payload.text_numbers = "{"point" if _POINT.fullmatch(text) else "comma"}" would read it'
    raise PayloadError("wrong_type", f"{channel} is the text {text[:40]!r}, not a number{cure}")
