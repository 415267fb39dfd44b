"""Remembers the last point of each state and counter over windows and restarts, so that the next window knows what was before it.

Guarantees that what it remembers is never more than `max_bytes`: beyond, what was heard longest ago is forgotten, and the next window
of it begins as if nothing had been before. The section must be committed by the cut that closes the windows it came from.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from edge.store.section import Section, Sections
from schemas.points import LONGEST_GAP_US, Point

_Kept = tuple[int, float, str]
_pack, _unpack = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(_Kept).decode


class LastPoints:
    """Usage: `last.before(key, meaning, start_us)`, then `last.note(key, meaning, point)`.

    Late windows are not noted: when they close depends on when the process last began. `meaning` is what a value means, its unit or the
    names of its states: one of another meaning is no value of before.
    """

    def __init__(self, section: Sections, max_bytes: int = 1 << 20) -> None:
        self._max_bytes = max_bytes
        self.section: Section = section("points")
        self._points: dict[str, _Kept] = {key: _unpack(packed) for key, packed in self.section.items().items()}

    def before(self, key: str, meaning: str, start_us: int) -> Point | None:
        """Returns the last point, if it lies before the window that starts then, and not too long before."""
        time_us, value, kept_meaning = self._points.get(key, (start_us, 0.0, ""))
        return Point(time_us, value) if start_us - LONGEST_GAP_US <= time_us < start_us and meaning == kept_meaning else None

    def note(self, key: str, meaning: str, point: Point) -> None:
        """Remembers the point, unless a later one of the same meaning is known."""
        kept = self._points.get(key)
        if kept and kept[2] == meaning and kept[:2] >= point:
            return
        self._points.pop(key, None)
        self._points[key] = (*point, meaning)
        self.section.set(key, _pack(self._points[key]))
        while self.section.bytes > self._max_bytes:
            self._forget(next(iter(self._points)))

    @property
    def sections(self) -> Sequence[Section]:
        return (self.section,)

    def forget(self, devices: Collection[str]) -> None:
        """Forgets devices that were not heard for long."""
        for key in [key for key in self._points if key.partition("/")[0] in devices]:
            self._forget(key)

    def _forget(self, key: str) -> None:
        del self._points[key]
        self.section.set(key, None)
