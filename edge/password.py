"""Reads a password from the file that a setting names."""

from __future__ import annotations

from pathlib import Path

from program.settings import ConfigError

_MAX_BYTES = 4096


def password(setting: str, file: Path | None) -> str | None:
    """Returns the first line of the file that the setting names, None if it names none. Raises ConfigError."""
    if file is None:
        return None
    try:
        with file.open("rb") as lines:
            text = lines.read(_MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{setting} {file}: {error}") from error
    line = (text.splitlines() or [""])[0]
    if not line:
        raise ConfigError(f"{setting} {file}: its first line is empty")
    return line
