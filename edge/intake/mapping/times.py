"""Finds out when a reading was measured: at the path and in the unit and zone that are declared, or on arrival. Pure.

A time that nobody declared is not passed over: a reading with one is refused, for on arrival would be wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
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
    | {"receivedat", "lastseen", "t"}
)
_ALSO_VALUES = frozenset({"t"})
"""Names that are a time only if the value looks like one: a `t` is often a temperature."""
_LEAST_EPOCH = 1e8


class TimeRule:
    """Knows where the times of a class stand. Usage: `time_rule.event_us(item, arrived_us, limits)`."""

    def __init__(self, payload: PayloadSettings, named: Collection[str] = (), *, text_numbers: bool = True) -> None:
        """`named` are names in messages that have a meaning already; `text_numbers`: a number may come as text."""
        self._path = None if payload.time == ARRIVAL else Path.parse("time", payload.time)
        self._factor = _FACTORS[payload.time_unit]
        self._zone = ZoneInfo(payload.zone) if payload.zone else None
        self._named, self._text_numbers = frozenset(named), text_numbers

    def event_us(self, item: Item, arrived_us: int, limits: Limits) -> int | None:
        """Returns microseconds since 1970, None if it is the time of arrival. Raises PayloadError."""
        if self._path is None:
            return None
        time = item.find(self._path)
        if time is MISSING or time is None:
            for table in item.tables():
                if found := time_name(table, self._named):
                    raise undeclared(found)
            return None
        return believable(self._micros(time, arrived_us), time, arrived_us, limits)

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


def time_name(table: Mapping[Any, Any], named: Collection[str] = ()) -> str | None:
    """Returns the first name in a table that is that of a time, and of nothing else."""
    for name, value in table.items():
        if isinstance(name, str) and len(name) <= 20 and value is not None and name not in named:
            plain = name.lower().replace("_", "").replace("-", "").replace(" ", "")
            if plain in _TIME_NAMES and (plain not in _ALSO_VALUES or _looks_like_time(value)):
                return name
    return None


def _looks_like_time(value: Any) -> bool:
    if isinstance(value, int | float):
        return not isinstance(value, bool) and math.isfinite(value) and value >= _LEAST_EPOCH
    return isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value) is not None
