"""Encrypts what a store keeps by AES-256-GCM (NIST SP 800-38D): a new nonce for each row, the row's key as associated data.

Guarantees that a missing or wrong key changes nothing in a store. While a key follows another both are there: the new one encrypts, what
is under the old one is read, and the old one may go once nothing is.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256

from edge.store.database import Database
from edge.store.faults import StoreFull, StoreKeyError
from edge.store.parts import remember
from edge.store.seal import Undecryptable, said

KEY_BYTES = 32
_NONCE_BYTES = 12
STATE = "encrypted_under"
"""Is the row of `state` with the names of the keys, the one that encrypts first, then those under which something may still be."""
_IS_ENCRYPTED = "substr({blob}, 1, 1) = x'c0'"
_MEMORY = f"select name, value from memory where {_IS_ENCRYPTED.format(blob='value')}"
_ROWS_A_COMMIT = 100
_ROWS = (
    f"select id, window_end_us, body from journal where {_IS_ENCRYPTED.format(blob='body')}",
    f"select * from commits where {_IS_ENCRYPTED.format(blob='identities')}",
    _MEMORY,
    f"select * from outbox where {_IS_ENCRYPTED.format(blob='body')}",
)


class Encryption:
    """Encrypts by one key, and decrypts by that and those before it. `names` tell keys apart, and are no secret."""

    def __init__(self, key: bytes, *earlier: bytes) -> None:
        """A key has KEY_BYTES."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 10 MB that a gateway without a key does without

        keys = (key, *earlier)
        self._ciphers = [AESGCM(each) for each in keys]
        self.names = [sha256(b"tinybeam store key\0" + each).hexdigest()[:8] for each in keys]

    @property
    def name(self) -> str:
        """Returns the name of the key that encrypts."""
        return self.names[0]

    def encrypted(self, body: bytes, *of: str | int) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._ciphers[0].encrypt(nonce, body, _associated(of))

    def decrypted(self, body: bytes, *of: str | int) -> bytes:
        """Raises Undecryptable."""
        from cryptography.exceptions import InvalidTag

        for cipher in self._ciphers:
            try:
                return cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _associated(of))
            except InvalidTag:
                continue
        raise Undecryptable(f"the bytes of {said(of)} were not encrypted under the key {' or '.join(self.names)}, or for another row")


def check(database: Database, cipher: Encryption | None) -> None:
    """Raises StoreKeyError unless what the store holds can be read under these keys, or without one."""
    noted = _noted(database)
    if noted and cipher is None:
        raise _missing(database, noted[0], "set store.encryption_key_file to the file of that key")
    missing = [name for name in noted if cipher and name not in cipher.names]
    if cipher and missing and missing == noted:
        raise _missing(database, missing[0], f"store.encryption_key_file has {' and '.join(cipher.names)}: put the right one back")
    if missing and not _is_read(database):
        raise _missing(database, missing[0], "put it back in a line behind the new one, until what is under it has been sent")
    if cipher and not noted:
        _read(database, " limit 1")


def _missing(database: Database, name: str, cure: str) -> StoreKeyError:
    return StoreKeyError(f"{database.path} is encrypted under the key {name}, which is not here: {cure}")


def claim(database: Database, cipher: Encryption | None) -> None:
    """Notes the keys of a store. What is in it stays as it is, but for memory, which lasts: that is written anew while two keys are there.

    Raises StoreKeyError.
    """
    check(database, cipher)
    if cipher is None:
        return
    noted = _noted(database)
    names = [cipher.name, *(name for name in cipher.names[1:] if name in (noted or cipher.names))]
    if names != noted:
        with database.transaction() as connection:
            connection.execute("insert or replace into state values (?, ?)", (STATE, " ".join(names)))
    if len(names) > 1:
        # A store that is too full for it goes on, and tries at its next start.
        with suppress(StoreFull):
            _write_memory_anew(database)


def _write_memory_anew(database: Database) -> None:
    with database.reading_seals() as unsealed:
        rows = [(name, unsealed(value, name)) for name, value in database.read(_MEMORY)]
    for first in range(0, len(rows), _ROWS_A_COMMIT):
        with database.transaction() as connection:
            remember(connection, dict(rows[first : first + _ROWS_A_COMMIT]), database.seals)


def _noted(database: Database) -> list[str]:
    """Returns the names of the keys of a store; none if nothing in it was ever encrypted, or a rescue lost them."""
    return [name for (value,) in database.read("select value from state where name = ?", STATE) for name in value.split()]


def _is_read(database: Database) -> bool:
    """Says whether every row can be decrypted: a key that is missing may go once nothing is under it."""
    try:
        _read(database)
    except StoreKeyError:
        return False
    return True


def _read(database: Database, bound: str = "") -> None:
    """Decrypts the rows of each table, as many as `bound` says. Raises StoreKeyError."""
    for sql in _ROWS:
        for *key, blob in database.read(sql + bound):
            with database.reading_seals() as unsealed:
                unsealed(blob, *key)


def _associated(of: tuple[str | int, ...]) -> bytes:
    return "\0".join(map(str, of)).encode()
