"""Looks at a store without changing it: it begins no epoch, writes no table, and leaves the log as it is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from edge.store import encryption
from edge.store.connection import connect_to_look
from edge.store.database import Database
from edge.store.encryption import Encryption
from edge.store.faults import StoreError
from edge.store.section import Section, key_of
from edge.store.store import TABLES


def look(path: Path, gateway_id: str, max_bytes: int, section: str = "", cipher: Encryption | None = None) -> Section:
    """Returns what it has of a section. Raises StoreLocked while a gateway uses it; StoreDamaged; StoreKeyError; StoreError for another
    gateway's file, or none of a store.
    """
    try:
        with closing(Database(path, max_bytes, TABLES, connect_to_look, is_changed=False, cipher=cipher)) as database:
            database.check()
            if not database.has_tables():
                return Section(section)
            _check_owner(database, gateway_id)
            encryption.check(database, cipher)
            return _section(database, section)
    finally:
        # Ours: a gateway locks the file whole, and needs none.
        Path(f"{path}-shm").unlink(missing_ok=True)


def _check_owner(database: Database, gateway_id: str) -> None:
    for (owner,) in database.read("select value from state where name = 'gateway_id'"):
        if owner != gateway_id:
            raise StoreError(f"{database.path} belongs to gateway {owner!r}, not {gateway_id!r}: move it away or correct the id")


def _section(database: Database, name: str) -> Section:
    rows = database.read("select name, value from memory where name = ? or (name > ? and name < ?)", name, f"{name}/", f"{name}0")
    with database.reading_seals() as unsealed:
        return Section(name, {key_of(row, name): unsealed(value, row) for row, value in rows})
