"""Encrypts what a store keeps by AES-256-GCM (NIST SP 800-38D): a new nonce for each row, the row's key as associated data.

Guarantees that a store is not written under two keys, and that a missing or wrong key changes nothing in it.
"""

from __future__ import annotations

import os
from hashlib import sha256

from edge.store.database import Database
from edge.store.faults import StoreKeyError
from edge.store.seal import Undecryptable, said

KEY_BYTES = 32
_NONCE_BYTES = 12
STATE = "encrypted_under"
"""Is the row of `state` with the name of the key."""
_IS_ENCRYPTED = "substr({blob}, 1, 1) = x'c0' limit 1"
_SAMPLES = (
    f"select id, window_end_us, body from journal where {_IS_ENCRYPTED.format(blob='body')}",
    f"select name, value from memory where {_IS_ENCRYPTED.format(blob='value')}",
    f"select * from outbox where {_IS_ENCRYPTED.format(blob='body')}",
)


class Encryption:
    """Encrypts and decrypts by one key. `name` tells keys apart, and is no secret."""

    def __init__(self, key: bytes) -> None:
        """The key has KEY_BYTES."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 10 MB that a gateway without a key does without

        self._aes = AESGCM(key)
        self.name = sha256(b"tinybeam store key\0" + key).hexdigest()[:8]

    def encrypted(self, body: bytes, *of: str | int) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._aes.encrypt(nonce, body, _associated(of))

    def decrypted(self, body: bytes, *of: str | int) -> bytes:
        """Raises Undecryptable."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._aes.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _associated(of))
        except InvalidTag as error:
            raise Undecryptable(f"the bytes of {said(of)} were not encrypted under the key {self.name}, or for another row") from error


def check(database: Database, cipher: Encryption | None) -> None:
    """Raises StoreKeyError unless what the store holds can be read under this key, or without one."""
    names = [name for (name,) in database.read("select value from state where name = ?", STATE)]
    if names and cipher is None:
        raise StoreKeyError(f"{database.path} is encrypted under the key {names[0]}: set store.encryption_key_file to the file of that key")
    if names and cipher and names[0] != cipher.name:
        raise StoreKeyError(
            f"{database.path} is encrypted under the key {names[0]}, and store.encryption_key_file has the key {cipher.name}: "
            "put the right one back"
        )
    if cipher and not names:
        _try(database)


def claim(database: Database, cipher: Encryption | None) -> None:
    """Notes the key of a store that has none yet: what is in it stays as it is, what is written from now on is encrypted.

    Raises StoreKeyError.
    """
    check(database, cipher)
    if cipher and not database.read("select 1 from state where name = ?", STATE):
        with database.transaction() as connection:
            connection.execute("insert into state values (?, ?)", (STATE, cipher.name))


def _try(database: Database) -> None:
    """Decrypts one row of each table: a store that was rescued may have lost the name of its key."""
    for sql in _SAMPLES:
        for *key, blob in database.read(sql):
            with database.reading_seals() as unsealed:
                unsealed(blob, *key)


def _associated(of: tuple[str | int, ...]) -> bytes:
    return "\0".join(map(str, of)).encode()
