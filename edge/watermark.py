"""Keeps how far windows are closed over a restart, and begins again there, whatever the clock says then. Pure."""

from __future__ import annotations

from typing import NamedTuple

from edge.store.section import Sections

_NEVER = -(2**62)
_AXIS = "axis"


class Start(NamedTuple):
    """Says where windows begin: their watermark, and by how much its axis is ahead of the clock."""

    watermark_us: int
    axis_us: int


class Watermark:
    """Usage: `Windows(..., *watermark.resume(...))`, then `watermark.keep(...)` before each cut that commits the section."""

    def __init__(self, section: Sections) -> None:
        self.section = section("watermark")

    def resume(self, now_us: int, grace_us: int, closed_us: int) -> Start:
        """Begins as if it had ticked all the while, so that a death between two cuts does not change which readings are late.

        A clock that is behind what is closed stands there: `closed_us` is of the journal, which knows it if this section was lost, or
        was written while the clock was far ahead.
        """
        kept = self.section.parsed(int)
        axis_us = kept.get(_AXIS, 0)
        watermark_us = max(kept.get("", _NEVER), closed_us, now_us + axis_us - grace_us)
        return Start(watermark_us, watermark_us + grace_us - now_us)

    def keep(self, watermark_us: int, axis_us: int) -> None:
        self.section.set("", str(watermark_us).encode())
        packed = str(axis_us).encode() if axis_us else None
        if self.section.get(_AXIS) != packed:
            self.section.set(_AXIS, packed)
