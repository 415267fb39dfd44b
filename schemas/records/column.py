"""Lets a record say what its columns mean: every field is `Annotated[type, Doc(text, unit)]`."""

from __future__ import annotations

from typing import NamedTuple


class Doc(NamedTuple):
    """Says what a field means, for docs and column descriptions."""

    text: str
    unit: str = ""
    by: str = "gateway"
    since: str = "1.0"
    """Schema version that brought it: a batch of an older one comes without, and the column is then null, or empty if it is repeated."""
    where_used: bool = False
    """Whether a batch comes without it, too, of which no row has a value in it."""


DEVICE = Doc("Device identifier, unique in the fleet")
