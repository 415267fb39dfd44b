"""Remembers the hourly means of one device's channel, so that an hour can be compared with the device's own past. Pure.

The result depends on the hours alone, in whatever order they come; a later revision of an hour replaces an earlier one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from typing import NamedTuple, Protocol, TypeVar

from pipeline.alerts.observation import Observation
from pipeline.alerts.source import Outcome
from pipeline.rollup.stats import HOUR, HourOfDevices
from pipeline.state import StateFormat

NORMAL = 1.4826
"""The standard deviation of a normal distribution, by its median absolute deviation."""

SECOND = 1_000_000


class OwnPast(NamedTuple):
    """Holds start of the hour in seconds since 1970 -> (revision, mean), and how often anything changed."""

    hours: dict[int, tuple[int, float]] = {}  # noqa: RUF012 - never changed in place
    changes: int = 0

    def mean(self, hour: int) -> float | None:
        return self.hours[hour][1] if hour in self.hours else None

    def before(self, hour: int, hours: int) -> list[float]:
        """Returns the means of so many hours before an hour, as far as they are known."""
        return [mean for at, (_, mean) in self.hours.items() if hour - hours * HOUR <= at < hour]


OWN_PAST = StateFormat("own_past", 1, OwnPast)


class DeviceMean(NamedTuple):
    """Is what one device measured in an hour, in seconds since 1970."""

    device_id: str
    site_id: str
    channel: str
    unit: str
    hour: int
    revision: int
    mean: float

    @property
    def key(self) -> str:
        return f"{self.device_id}/{self.channel}/{self.unit}"


def means(hour: HourOfDevices) -> Iterator[DeviceMean]:
    site_id, channel, unit, start = hour.key
    for device in hour.devices:
        if device.count:
            yield DeviceMean(device.device_id, site_id, channel, unit, start, hour.revision, device.mean)


class DeviceRule(Protocol):
    """Is a rule that watches a channel of devices."""

    @property
    def channel(self) -> str: ...

    def watches_device(self, device_id: str, site_id: str | None) -> bool: ...


_Rule = TypeVar("_Rule", bound=DeviceRule)


def watching(rules: Iterable[_Rule], mean: DeviceMean) -> Iterator[_Rule]:
    """Yields the rules that watch what was measured."""
    return (rule for rule in rules if rule.channel == mean.channel and rule.watches_device(mean.device_id, mean.site_id))


def watched_means(rules: Sequence[DeviceRule], hour: HourOfDevices) -> Iterator[tuple[str, DeviceMean]]:
    """Yields what devices measured in an hour that any rule watches, by the key of its memory."""
    if any(rule.channel == hour.key.channel for rule in rules):
        yield from ((mean.key, mean) for mean in means(hour) if any(watching(rules, mean)))


def z_score(past: list[float], mean: float, least_spread: float) -> float | None:
    """Returns how many usual spreads a mean is from the median of the past; None where nothing is usual."""
    middle = median(past)
    spread = max(NORMAL * median(abs(value - middle) for value in past), least_spread)
    return (mean - middle) / spread if spread else None


Judge = Callable[[OwnPast, DeviceMean], Iterable[Observation]]
"""Observes of an hour what the rules of a source see in it."""


class PastMemory:
    """Remembers a channel of a device for so many hours, and judges an hour that changed, and the newest again with what is known now."""

    def __init__(self, judge: Judge, keep_hours: int) -> None:
        self._judge = judge
        self._keep = keep_hours * HOUR

    def on_report(self, packed: bytes | None, key: str, report: DeviceMean, now: int) -> Outcome:
        past = OWN_PAST.unpack(packed) or OwnPast()
        known = past.hours.get(report.hour)
        if report.hour * SECOND > now or (known and report.revision <= known[0]):
            return Outcome(packed)  # an hour that has not begun comes from a wrong clock
        past = self._learned(past, report)
        if report.hour not in past.hours:
            return Outcome(packed)
        newest = max(past.hours)
        latest = report._replace(hour=newest, mean=past.hours[newest][1])
        found = [each for hour in dict.fromkeys((report, latest)) for each in self._judge(past, hour)]
        return Outcome(OWN_PAST.pack(past), found=found)

    def on_timer(self, packed: bytes | None, key: str, now: int) -> Outcome:
        return Outcome(packed)

    def _learned(self, past: OwnPast, report: DeviceMean) -> OwnPast:
        hours = {**past.hours, report.hour: (report.revision, report.mean)}
        first = max(hours) - self._keep
        return OwnPast({hour: known for hour, known in sorted(hours.items()) if hour >= first}, past.changes + 1)
