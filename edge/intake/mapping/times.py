"""Finds out when a reading was measured: at the path and in the unit and zone that are declared, or on arrival. Pure.

A time that nobody declared is not passed over: a reading with one is refused, for on arrival would be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from edge.intake.mapping.item import Item
from edge.reading import Limits, PayloadError, believable, shown
from edge.settings.paths import MISSING, Path
from edge.settings.payload import ARRIVAL, PayloadSettings, TimeUnit
from schemas.envelope import micros

_FACTORS = {TimeUnit.SECONDS: 1_000_000, TimeUnit.MILLISECONDS: 1_000, TimeUnit.MICROSECONDS: 1}
_DIGITS = re.compile(r"\s*-?\d+(?:\.\d+)?\s*", re.ASCII)
_TIME_NAMES = frozenset(
    {
        "time",
        "ts",
        "timestamp",
        "datetime",
        "date",
        "utc",
        "epoch",
        "unixtime",
        "unix",
        "eventtime",
        "measuredat",
        "recordedat",
        "createdat",
    }
    | {"sampledat", "sampletime", "measurementtime", "timeutc", "datetimeutc", "localtime", "timestampms", "timems", "tsms", "timestamputc"}
    | {"receivedat", "lastseen", "timestamps", "epochms", "epochtime", "unixtimestamp", "eventtimestamp", "devicetime", "sensortime"}
    | {"gpstime", "dateutc", "utctime", "utcdate", "sentat", "observedat", "obstime", "resulttime", "phenomenontime", "zeitstempel"}
)
_ALSO_VALUES = frozenset(
    {"t", "dt", "tst", "when", "clock", "created", "at", "taken", "stamp", "moment", "fecha", "hora", "heure", "zeit", "datum", "uhrzeit"}
)
"""Names that are a time only if the value looks like one: a `t` is often a temperature."""
_NAMES_AND_VALUES = _TIME_NAMES | _ALSO_VALUES
_LEAST_EPOCH = 1e8
_DATE = re.compile(r"\s*(?:\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[./-]\d\d?[./-]\d{4})(?!\d)")
_DATE_AND_TIME = re.compile(rf"{_DATE.pattern}[T ,]+\d\d?[:.]\d\d")
"""Under whatever name: no value of a reading looks like it."""
_SEPARATORS = str.maketrans("", "", "_- @")
_MAX_DEPTH, _LONGEST = 4, 20


class TimeRule:
    """Knows where the times of a class stand. Usage: `time_rule.event_us(item, device_id, arrived_us, limits)`."""

    def __init__(self, payload: PayloadSettings, named: Collection[str] = (), *, text_numbers: bool = True) -> None:
        """`named` are names and patterns in messages that have a meaning already; `text_numbers`: a number may come as text."""
        self._path = None if payload.time == ARRIVAL else Path.parse("time", payload.time)
        self._factor = _FACTORS[payload.time_unit]
        self._zone = ZoneInfo(payload.zone) if payload.zone else None
        self._named, self._text_numbers = frozenset(named), text_numbers
        self._message: Any = None
        self._in_message: str | None = None

    def event_us(self, item: Item, device_id: str, arrived_us: int, limits: Limits) -> int | None:
        """Returns microseconds since 1970, None if it is the time of arrival. Raises PayloadError."""
        if self._path is None:
            return None
        time = item.find(self._path)
        if time is MISSING or time is None:
            if found := self._undeclared(item):
                raise undeclared(found)
            return None
        return believable(self._micros(time, arrived_us), time, device_id, arrived_us, limits)

    def _undeclared(self, item: Item) -> str | None:
        """Returns the path to a time in the item, or in the message around it, which is looked through once for all of its items."""
        found = time_path(item.content, self._named) if isinstance(item.content, dict) else None
        if found or item.document is item.content or not isinstance(item.document, dict):
            return found
        if item.document is not self._message:
            around = item.document if item.key is None else {key: each for key, each in item.document.items() if not isinstance(each, dict)}
            self._message, self._in_message = item.document, time_path(around, self._named)
        return self._in_message

    def _micros(self, time: Any, arrived_us: int) -> int:
        if isinstance(time, str) and _DIGITS.fullmatch(time):
            if not self._text_numbers:
                cure = "declare in [sensors.payload] what it counts, time_unit"
                raise PayloadError("wrong_type", f"time {time[:40]!r} is a number as text: {cure}")
            time = float(time)
        try:
            if isinstance(time, int | float) and not isinstance(time, bool):
                return round(time * self._factor)
            moment = datetime.fromisoformat(time.strip()) if isinstance(time, str) else time
        except (ValueError, OverflowError) as error:
            raise PayloadError("wrong_type", f"time {shown(time)!r} is no time") from error
        if not isinstance(moment, datetime):
            raise PayloadError("wrong_type", f"time {shown(time)!r} is no time")
        return micros(moment if moment.tzinfo else self._local(moment, arrived_us))

    def _local(self, moment: datetime, arrived_us: int) -> datetime:
        """Returns a time of the zone. An hour that comes twice in autumn is the one nearer to the arrival."""
        if self._zone is None:
            raise PayloadError(
                "wrong_type",
                f"time {moment.isoformat()!r} has no offset: write Z for UTC, or declare the zone that it is in, zone in [sensors.payload]",
            )
        try:
            twice = [moment.replace(tzinfo=self._zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        except OverflowError as error:
            raise PayloadError("wrong_type", f"time {shown(moment)!r} is no time") from error
        if all(each.astimezone(self._zone).replace(tzinfo=None) != moment for each in twice):
            raise PayloadError("wrong_type", f"time {shown(moment)!r} does not exist in {self._zone}: clocks go forward then")
        return min(twice, key=lambda each: abs(micros(each) - arrived_us))


def undeclared(name: str) -> PayloadError:
    """Returns the refusal of a reading whose time is under a name that nobody declared."""
    cure = f'declare it in [sensors.payload], time = "{name}", or time = "arrival" if it is to be passed over'
    return PayloadError("undeclared_time", f"there is a time under {name!r}, and no setting says so: {cure}")


def time_path(table: Mapping[Any, Any], named: Collection[str] = (), before: str = "", depth: int = 0) -> str | None:
    """Returns the path to the first time in a table that nothing else is said of; `named` are names and patterns.

    In a table within, a name is that of a time only if its value looks like one: a schedule has times, too.
    """
    for name, value in table.items():
        if isinstance(value, dict):
            within = f"{before}{shown(name, 80)}."
            if depth < _MAX_DEPTH and (found := time_path(value, named, within, depth + 1)):
                return found
        elif _is_time(name, value, within=bool(before)):
            path = f"{before}{name}"
            if not any(fnmatchcase(each, known) for known in named for each in (name, path)):
                return path
    return None


def _is_time(name: Any, value: Any, *, within: bool) -> bool:
    if not isinstance(name, str) or len(name) > _LONGEST or value is None:
        return False
    if not within and isinstance(value, str) and _DATE_AND_TIME.match(value):
        return True
    plain = _plain(name)
    return (plain in _TIME_NAMES and not within) or (plain in _NAMES_AND_VALUES and _looks_like_time(value))


@lru_cache(4096)
def _plain(name: str) -> str:
    return name.lower().translate(_SEPARATORS)


def _looks_like_time(value: Any) -> bool:
    if isinstance(value, str):
        return _DATE.match(value) is not None or (_DIGITS.fullmatch(value) is not None and float(value) >= _LEAST_EPOCH)
    if isinstance(value, int | float):
        return not isinstance(value, bool) and value >= _LEAST_EPOCH
    return isinstance(value, datetime)
