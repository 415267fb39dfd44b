"""Makes identifiers of the names that devices have: a name that is an identifier stays, any other is spelled as one by a rule. Pure.

`ä ö ü ß` become `ae oe ue ss`, other letters lose their accents, and what is left over becomes a dash: `AA:BB:01` is `AA-BB-01`,
`Küche Süd` is `Kueche-Sued`. A name that is too long or has nothing left ends in a hash of itself. Two names can come to one
identifier: NameBook remembers who has it.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b

from edge.reading import is_name

MAX_NAMES = 10_000
_LONGEST = 64
_SPELLED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "ł": "l"}
)
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")


def identifier(name: str, prefix: str = "", key: bytes = b"") -> str:
    """Returns the identifier of a device of this name; with a key, one that does not show the name."""
    if key:
        return prefix + blake2b(name.encode(errors="replace"), key=key[:64], digest_size=12).hexdigest()
    if is_name(prefix + name):
        return prefix + name
    composed = unicodedata.normalize("NFC", name).translate(_SPELLED)
    ascii_name = unicodedata.normalize("NFKD", composed).encode("ascii", "ignore").decode()
    text = prefix + _OTHER.sub("-", ascii_name).strip("-._")
    if text != prefix and is_name(text):
        return text
    digest = blake2b(name.encode(errors="replace"), digest_size=4).hexdigest()
    return f"{text[: _LONGEST - 9].lstrip('-._') or 'device'}-{digest}"


class NameBook:
    """Remembers which name an identifier was made of, so that two devices never become one unseen."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def is_taken(self, device_id: str, name: str) -> str | None:
        """Returns the other name that came to this identifier first, None if there is none."""
        if len(self._names) >= MAX_NAMES and device_id not in self._names:
            return None
        first = self._names.setdefault(device_id, name)
        return first if first != name else None
