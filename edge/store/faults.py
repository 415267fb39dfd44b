"""Says why a store cannot be used, or did not do what was asked."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be used; the text names the file and says why."""


class StoreDamaged(StoreError):
    """The file is not what was written to it: what can be read of it is to be rescued into another."""


class StoreKeyError(StoreError):
    """The store is encrypted, and the key that it was encrypted under is not here. Nothing is wrong with the file."""


class DiskFault(StoreError):
    """The disk failed to read or write; it may pass."""


class StoreLocked(StoreError):
    """Another process has the store open."""


class StoreFull(StoreError):
    """Nothing was written: the bound or the disk is reached and nothing may be dropped for it."""


class CommitTooLarge(ValueError):
    """One commit would not have room in the log; nothing was written. In smaller parts it has."""
