"""Says what is wrong with a key, a certificate or a file of them, in one sentence that holds no secret."""

from __future__ import annotations


class KeysError(Exception):
    """Is told to whoever typed the command, as it is."""
