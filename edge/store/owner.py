"""Lets a store belong to one gateway."""

from __future__ import annotations

from edge.store.database import Database
from edge.store.faults import StoreError


def claim(database: Database, gateway_id: str) -> None:
    """Makes a new store this gateway's. Raises StoreError if it is another's."""
    with database.transaction() as connection:
        connection.execute("insert or ignore into state values ('gateway_id', ?)", (gateway_id,))
    [(owner,)] = database.read("select value from state where name = 'gateway_id'")
    if owner != gateway_id:
        raise StoreError(f"{database.path} belongs to gateway {owner!r}, not {gateway_id!r}: move it away or correct the id")
