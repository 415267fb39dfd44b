"""Reads the password of the gateway at its broker from the file that the settings name."""

from __future__ import annotations

from edge.settings.mqtt import MqttSettings
from program.settings import ConfigError

_MAX_BYTES = 4096


def password(mqtt: MqttSettings) -> str | None:
    """Returns the first line of the file, None without one. Raises ConfigError."""
    file = mqtt.password_file
    if file is None:
        return None
    try:
        with file.open("rb") as lines:
            text = lines.read(_MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"mqtt.password_file {file}: {error}") from error
    line = (text.splitlines() or [""])[0]
    if not line:
        raise ConfigError(f"mqtt.password_file {file}: its first line is empty")
    return line
