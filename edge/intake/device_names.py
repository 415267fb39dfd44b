"""Makes identifiers of the names that devices have: a name that is an identifier stays, any other is spelled as one by a rule. Pure.

`ä ö ü ß` become `ae oe ue ss`, other letters lose their accents, and what is left over becomes a dash: `AA:BB:01` is `AA-BB-01`,
`Küche Süd` is `Kueche-Sued`. A name that is too long, or has letters without a spelling here, ends in a hash of itself. Two names can
come to one identifier: NameBook remembers who has it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from hashlib import blake2b

from edge.reading import is_name
from edge.store.section import Section
from program import logs

MAX_NAMES = 10_000
MAX_KEPT = 1_000
"""Names in the store."""
_LONGEST, _LONGEST_NAME = 64, 200
_log = logs.get(__name__)
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
    if text != prefix and is_name(text) and not _lost_letters(composed):
        return text
    digest = blake2b(name.encode(errors="replace"), digest_size=4).hexdigest()
    return f"{text[: _LONGEST - 9].lstrip('-._') or 'device'}-{digest}"


def _lost_letters(name: str) -> bool:
    """Says whether a letter or digit of the name has no spelling in ASCII, as in 温室1: else many such names would be `1`."""
    return any(each.isalnum() and not unicodedata.normalize("NFKD", each).encode("ascii", "ignore") for each in name)


class NameBook:
    """Remembers which name an identifier was made of, so that two devices never become one unseen.

    A name that is not its own identifier is kept in the section, which whoever has the store commits.
    """

    def __init__(self, section: Section) -> None:
        self.section = section
        self._names = section.parsed(bytes.decode)

    def forget(self, devices: Collection[str]) -> None:
        """Lets other names become these identifiers, and makes room for new ones."""
        self._names = {device_id: name for device_id, name in self._names.items() if device_id not in devices}
        self.section.forget(devices)

    def refusal(self, device_id: str, name: str, *, is_secret: bool = False) -> str | None:
        """Returns why a device of this name cannot be this identifier; None if it can, from now on. A secret name is not kept."""
        name = name[:_LONGEST_NAME]
        first = self._names.get(device_id)
        if first is not None:
            return None if first == name else f"{name[:80]!r} and {first[:80]!r} would both be device {device_id}: give one another name"
        if len(self._names) >= MAX_NAMES:
            return (
                None
                if device_id.endswith(name)
                else f"more than {MAX_NAMES} devices: no more names become identifiers, such as {name[:80]!r}"
            )
        self._names[device_id] = name
        if not is_secret and not device_id.endswith(name) and len(self.section.items()) < MAX_KEPT:
            _log.info("the device that is called %r is %s", name, device_id)
            self.section.set(device_id, name.encode(errors="replace"))
        return None
