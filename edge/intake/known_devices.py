"""Knows the devices that are heard, and which are to be forgotten, so that names that come once do not stay for ever. Pure.

Time is counted in hours that the gateway has run: a clock that jumps adds an hour at most, so it makes nobody forgotten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from itertools import islice

import msgspec

from edge.settings.limits import LimitSettings
from edge.store.section import Section

FORGOTTEN_AT_ONCE = 2000
_HOUR_US = 3_600_000_000
_DAY = 24
_CLOCK = ""
"""The key of the hours run; devices have their own names."""


class _Known(msgspec.Struct, gc=False):
    sensors: str
    first: int
    last: int
    kept: int


class KnownDevices:
    """Notes who is heard. A device is kept in the section once it is known for a day, and again once a day: one that comes once never is.

    Usage: `devices.advance(now_us)`, `devices.is_heard(device_id, sensors)`; once in an hour `devices.forgotten()`.
    """

    def __init__(self, limits: LimitSettings, section: Section) -> None:
        self.section = section
        self._most, self._longest = limits.devices, limits.forget_days * _DAY
        self._elapsed_us = int(section.get(_CLOCK) or 0) * _HOUR_US
        self._before_us: int | None = None
        self.hour = self._looked = self._elapsed_us // _HOUR_US
        self._known: dict[str, _Known] = {}
        self._of_class: Counter[str] = Counter()

    @property
    def names(self) -> Collection[str]:
        return self._known.keys()

    def adopt(self, device_ids: Iterable[tuple[str, str]]) -> None:
        """Knows devices, each with its class, of which something is remembered from before: as kept, or from now on."""
        for device_id, sensors in device_ids:
            if device_id and device_id not in self._known:
                first, _, last = (self.section.get(device_id) or b"").partition(b":")
                # It may have been heard for a day since that was kept.
                self._add(device_id, sensors, int(first or self.hour), min(int(last or self.hour) + _DAY, self.hour))

    def advance(self, now_us: int) -> None:
        """Lets the gateway's clock go on."""
        if self._before_us is not None:
            self._elapsed_us += min(max(now_us - self._before_us, 0), _HOUR_US)
        self._before_us = now_us
        if self._elapsed_us // _HOUR_US != self.hour:
            self.hour = self._elapsed_us // _HOUR_US
            self.section.set(_CLOCK, str(self.hour).encode())

    def is_heard(self, device_id: str, sensors: str) -> bool:
        """Notes that a device of this class is heard; False if the class has no room for another."""
        known = self._known.get(device_id)
        if known is None:
            if self._of_class[sensors] >= self._most:
                return False
            self._add(device_id, sensors, self.hour, self.hour)
        elif known.last != self.hour:
            known.last = self.hour
            if self.hour - known.kept >= _DAY:
                known.kept = self.hour
                self.section.set(device_id, b"%d:%d" % (known.first, known.last))
        return True

    def forgotten(self) -> frozenset[str]:
        """Returns devices that are known no more, so many that one commit has room for it; looks once in an hour for all of them."""
        if self.hour == self._looked:
            return frozenset()
        over = (device_id for device_id, known in self._known.items() if self._is_over(known))
        gone = frozenset(islice(over, FORGOTTEN_AT_ONCE))
        if len(gone) < FORGOTTEN_AT_ONCE:
            self._looked = self.hour
        for device_id in gone:
            self._of_class[self._known.pop(device_id).sensors] -= 1
            if self.section.get(device_id) is not None:
                self.section.set(device_id, None)
        return gone

    def _is_over(self, known: _Known) -> bool:
        return self.hour - known.last > max(_DAY, min(self._longest, known.last - known.first))

    def _add(self, device_id: str, sensors: str, first: int, last: int) -> None:
        self._known[device_id] = _Known(sensors, first, last, last)
        self._of_class[sensors] += 1
