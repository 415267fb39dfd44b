"""Finds devices whose clocks are steadily ahead, by more than a reading of any other may be: their readings are taken, with that offset.

A single time ahead is a fault, and is rejected. Where SEEN messages of a device agree, its clock is ahead: from the last of them on its
readings are taken, as edge.device_clocks knows their offset then. Pure; bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.device_clocks import RIGHT_SECONDS

SEEN = 3
MOST_AHEAD_SECONDS = 86_400
"""A clock that is ahead by more is wrong in another way, as by its unit: another zone is no reason for more."""
_DEVICES_REMEMBERED = 10_000
_TOGETHER_US, _AGREEING_US = 1_000_000, RIGHT_SECONDS * 1_000_000


@dataclass(slots=True)
class _Seen:
    """Counts messages that agree; holds by how much the last was ahead, and when it came."""

    ahead_us: int
    arrived_us: int
    messages: int = 1


class Ahead:
    """Is asked of each reading that is ahead: `ahead.is_steady(device_id, event_us, arrived_us)`."""

    def __init__(self, offset_us: Callable[[str], int] = lambda _device_id: 0) -> None:
        """`offset_us` says how much later than dated a device's readings come, below nought if they are dated ahead."""
        self._offset_us = offset_us
        self._seen: dict[str, _Seen] = {}

    def is_steady(self, device_id: str, event_us: int, arrived_us: int) -> bool:
        """Says whether the reading is to be taken, and learns from it."""
        ahead_us = event_us - arrived_us
        if ahead_us > MOST_AHEAD_SECONDS * 1_000_000:
            return False
        if ahead_us <= _AGREEING_US - self._offset_us(device_id):
            self._seen.pop(device_id, None)
            return True
        return self._note(device_id, ahead_us, arrived_us).messages >= SEEN

    def _note(self, device_id: str, ahead_us: int, arrived_us: int) -> _Seen:
        before = self._seen.pop(device_id, None)
        if before is None or abs(ahead_us - before.ahead_us) > _AGREEING_US:
            seen = _Seen(ahead_us, arrived_us)
        elif arrived_us - before.arrived_us < _TOGETHER_US:
            seen = before
        else:
            seen = _Seen(ahead_us, arrived_us, before.messages + 1)
        self._seen[device_id] = seen
        if len(self._seen) > _DEVICES_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return seen
