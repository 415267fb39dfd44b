"""Keeps the zstd dictionaries with which bodies of batches are compressed: one for each version of the records that brought another.

A small batch is mostly what all batches have: the description of its columns, the first values, the words. A dictionary has that already,
and a body names it by its number. Guarantee: a file here is never changed once a release had it, for there are bodies that need it.
`python -m schemas.dictionary.train` makes the one of this version.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import MappingProxyType

from schemas.records import SCHEMA_VERSION

FOLDER = Path(__file__).parent
LEVEL = 12
"""Of zstd, for which dictionaries are trained and with which bodies are compressed. Against zstd's own 3 a seventh fewer bytes, for 56 us
instead of 7 at ten rows; more gives nothing (docs/adr/0029)."""
_FIRST_FREE = 0x8000
"""Numbers below are zstd's own to give away."""


def number_of(schema_version: str) -> int:
    """Returns the number that the dictionary of a version has: from the version, so that a body tells who can read it."""
    major, minor = map(int, schema_version.split("."))
    return _FIRST_FREE + (major << 8) + minor


def version_of(number: int) -> str:
    """Returns the version that brought a dictionary, as far as a number tells."""
    return f"{(number - _FIRST_FREE) >> 8}.{number & 0xFF}" if number >= _FIRST_FREE else "?"


@cache
def dictionaries() -> MappingProxyType[int, bytes]:
    """Returns every dictionary there is, by number."""
    files = {file.stem: file for file in FOLDER.glob("*.zdict") if re.fullmatch(r"\d+\.\d+", file.stem)}
    return MappingProxyType({number_of(version): file.read_bytes() for version, file in files.items()})


def current() -> bytes:
    """Returns the dictionary that gateways of this version compress with."""
    return dictionaries()[number_of(SCHEMA_VERSION)]
