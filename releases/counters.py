"""Remembers the highest version of each role that was seen, in a file of its own, so that lost or restored metadata cannot go back in time.

A version counts for the keys that signed it: once the root names others, as it does after a key was stolen, a role counts anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from releases import files
from releases.error import ReleaseError, Untrusted


class Seen(msgspec.Struct, frozen=True):
    """Is a version of a role, and the identifiers of the keys that may sign that role."""

    version: int
    keys: tuple[str, ...]


def read(file: Path) -> Mapping[str, Seen]:
    """Reads what was seen: role -> version; nothing where the file is not there yet. Raises ReleaseError for one that is damaged."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Seen])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{file} cannot be read, and without it nobody knows what is older: {error}") from error


def advance(file: Path, offered: Mapping[str, Seen]) -> None:
    """Writes what is seen now. Raises Untrusted if it is older than what was seen before."""
    before = read(file)
    for role, seen in offered.items():
        last = before.get(role)
        if last and set(last.keys) == set(seen.keys) and seen.version < last.version:
            raise Untrusted(
                f"{role} has version {seen.version}, and {last.version} was seen before: the source is older than what this gateway knows"
            )
    after = {**before, **offered}
    if after != before:
        files.write(file, msgspec.json.encode(after))
