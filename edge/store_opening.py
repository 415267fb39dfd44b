"""Opens the store that a configuration names, under the key that it names."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from edge.config import Config
from edge.settings.batches import StoreSettings
from edge.store.encryption import KEY_BYTES, Encryption
from edge.store.look import look
from edge.store.section import Section
from edge.store.store import Store
from program.settings import ConfigError

_CURE = f"a key is {KEY_BYTES} bytes in base64: openssl rand -base64 {KEY_BYTES}"


def open_store(config: Config, make: Callable[..., Store] = Store) -> Store:
    """Opens the store, or creates it, by `make`. Raises ConfigError for a key that is none, StoreError and OSError."""
    return make(config.store_file, config.gateway.id, config.store.max_bytes, cipher=cipher_of(config.store))


def look_at_store(config: Config, section: str = "") -> Section:
    """Returns what the store has of a section. Raises as edge.store.look does, and ConfigError for a key that is none."""
    return look(config.store_file, config.gateway.id, config.store.max_bytes, section, cipher_of(config.store))


def cipher_of(settings: StoreSettings) -> Encryption | None:
    """Returns what encrypts the store, None without a key. Raises ConfigError."""
    if settings.encryption_key:
        return _of_keys(settings.encryption_key, "store.encryption_key")
    file = settings.encryption_key_file
    if file is None:
        return None
    try:
        text = file.read_text("ascii")
    except (OSError, ValueError) as error:
        raise ConfigError(f"store.encryption_key_file {file}: {getattr(error, 'strerror', None) or _CURE}") from error
    return _of_keys(text, f"store.encryption_key_file {file}")


def _of_keys(text: str, where: str) -> Encryption:
    """Reads keys, one a line: the first encrypts, and those before it follow."""
    return Encryption(*(_key(line, where) for line in text.split() or [""]))


def _key(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ConfigError(f"{where}: {_CURE}") from error
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{where}: {_CURE}")
    return key
