"""Keeps the passwords of sensors that can have no certificate, in the form of mosquitto_passwd: salted and hashed, a line each."""

from __future__ import annotations

import base64
import hashlib
import secrets
from pathlib import Path

from keys import private_files
from keys.holder import Holder, Role

_ITERATIONS, _SALT_BYTES = 101, 12
"""As mosquitto_passwd has them; a password of ours is random and too long to be guessed."""


def names(file: Path) -> list[str]:
    """Returns who has a password; nobody if there is no file. Raises KeysError."""
    return [line.partition(":")[0] for line in _lines(file)]


def add(file: Path, name: str) -> str:
    """Gives a sensor a new password, which is returned and kept nowhere. Raises KeysError."""
    Holder(name, Role.SENSOR)
    password = secrets.token_urlsafe(18)
    _write(file, [*_others(file, name), f"{name}:{_hashed(password, secrets.token_bytes(_SALT_BYTES))}"])
    return password


def remove(file: Path, name: str) -> None:
    """Raises KeysError."""
    _write(file, _others(file, name))


def _others(file: Path, name: str) -> list[str]:
    return [line for line in _lines(file) if line.partition(":")[0] != name]


def _lines(file: Path) -> list[str]:
    return private_files.read(file).decode().splitlines() if file.exists() else []


def _write(file: Path, lines: list[str]) -> None:
    private_files.write(file, "".join(f"{line}\n" for line in lines).encode())


def _hashed(password: str, salt: bytes) -> str:
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
