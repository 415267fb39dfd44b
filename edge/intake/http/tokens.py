"""Knows the tokens of devices: a line of the file is a token, then the names or patterns of the devices that it speaks for.

Guarantees that looking for one takes no longer the more of it is right: what is compared is a digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from program.settings import ConfigError, require

LEAST_CHARACTERS = 16
_MAX_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Credential:
    """Says who speaks, for the log and for limits, and for which devices, as patterns."""

    name: str
    devices: tuple[str, ...]


class Tokens:
    """Reads the file once. Usage: `tokens.credential(token)`."""

    def __init__(self, file: Path | None) -> None:
        """Raises ConfigError. Without a file there is no token."""
        self._known: dict[bytes, Credential] = {}
        for number, line in enumerate(_lines(file) if file else (), 1):
            token, *devices = line.split("#", 1)[0].split() or [""]
            if token:
                where = f"http.tokens_file {file}, line {number}"
                require(
                    len(token) >= LEAST_CHARACTERS, f"{where}: a token has at least {LEAST_CHARACTERS} characters: openssl rand -hex 16"
                )
                require(devices, f"{where}: behind the token must stand the devices that it speaks for, such as soil-*")
                require(_digest(token) not in self._known, f"{where}: this token stands in the file already")
                self._known[_digest(token)] = Credential(f"token of line {number}", tuple(devices))

    def __len__(self) -> int:
        return len(self._known)

    @property
    def devices(self) -> set[str]:
        """Returns the patterns of all tokens."""
        return {pattern for credential in self._known.values() for pattern in credential.devices}

    def credential(self, token: str) -> Credential | None:
        """Returns whose token it is. The time that this takes depends on a digest, of which nobody can choose a part."""
        return self._known.get(_digest(token))


def _lines(file: Path) -> list[str]:
    try:
        with file.open("rb") as lines:
            return lines.read(_MAX_BYTES).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"http.tokens_file {file}: {error}") from error


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()
