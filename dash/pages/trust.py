"""Data trust: what arrived of what the gateways sent, how late, and what was not understood."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from dash.data import fleet, sites, trust
from dash.data.span import Span
from dash.data.trust import GatewayDay, Lateness, Rejects, Trust
from dash.pages.page import Asking, Page
from dash.pages.ranges import ranges
from presentation.wording import capital, count, counted, listed
from program.local_time import duration

DAYS = 7
_DAY = timedelta(days=1)
_LONGEST_CALENDAR = 35
MOST_SILENT = 5


@dataclass(frozen=True, slots=True)
class Cell:
    """A gateway's day: `mark` is what stands in it, `words` say the same in full; `level` is whole, gap, or none."""

    level: str
    mark: str
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """The days of one gateway, oldest first, and how much of all of them arrived."""

    gateway_id: str
    share: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class SetAside:
    """What was set aside for one reason, wherever: `newest` is the site's that had the last of it."""

    newest: Rejects
    rejects: int
    replayed: int
    devices: int
    sites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Late:
    """How late the batches of a gateway are, over the span."""

    gateway_id: str
    middle: str
    latest: str


def _content(asking: Asking) -> dict[str, Any]:
    span = _of_whole_days(asking.span(DAYS))
    told = trust.read(asking.questions, span)
    days = _days(span)
    lines = _lines(told.days, days)
    silent = _silent(told.days, [gateway.gateway_id for gateway in fleet.states(asking.questions, span.end)])
    return {
        "headline": _headline(told),
        "silent": listed(silent[:MOST_SILENT]),
        "more_silent": max(0, len(silent) - MOST_SILENT),
        "most_are_shown": len(lines) == trust.MOST_GATEWAYS,
        "days_shown": days,
        "lines": [line for line in lines if any(cell.level != "whole" for cell in line.cells)],
        "whole": sum(all(cell.level == "whole" for cell in line.cells) for line in lines),
        "late": _late(told.lateness),
        "rejects": by_reason(told.rejects),
        "names": sites.names(asking.questions, asking.now),
        "ranges": ranges(asking, span, DAYS),
        "now": asking.now,
        "export": "/export/completeness.csv",
    }


def _of_whole_days(span: Span) -> Span:
    """Begins a span at midnight, UTC, as a calendar's day does."""
    return Span(_midnight(span.begin), span.end)


def _midnight(time: datetime) -> datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def _silent(told: Iterable[GatewayDay], known: list[str]) -> list[str]:
    """Returns the gateways that are known and sent nothing; none where the answer holds the worst alone."""
    heard = {day.gateway_id for day in told}
    return [] if len(heard) >= trust.MOST_GATEWAYS else [gateway for gateway in known if gateway not in heard]


def _days(span: Span) -> list[datetime]:
    """Returns the days of a calendar that can be read: the last five weeks of the span at most."""
    last = _midnight(span.end - timedelta(microseconds=1))
    number = min(_LONGEST_CALENDAR, (last - _midnight(span.begin)).days + 1)
    return [last - _DAY * ago for ago in reversed(range(number))]


def _lines(told: Iterable[GatewayDay], days: list[datetime]) -> list[Line]:
    of_each: dict[str, dict[datetime, GatewayDay]] = defaultdict(dict)
    for day in told:
        of_each[day.gateway_id][day.day] = day
    return [Line(gateway, _share(found.values()), tuple(_cell(found.get(day)) for day in days)) for gateway, found in of_each.items()]


def _cell(day: GatewayDay | None) -> Cell:
    if day is None or day.completeness is None:
        return Cell("none", "?", "nothing is known of it")
    if not any((day.missing, day.declared, day.thinned, day.readings_lost)):
        return Cell("whole", "", "everything arrived")
    words = [
        *([f"{count(day.missing)} batches missing"] if day.missing else []),
        *([f"{count(day.declared)} dropped by the gateway"] if day.declared else []),
        *([f"{count(day.thinned)} thinned by the gateway, as its store was full"] if day.thinned else []),
        *([f"{count(day.readings_lost)} readings lost"] if day.readings_lost else []),
    ]
    return Cell("gap", _percent(day.completeness), f"{_percent(day.completeness)} % arrived, {', '.join(words)}")


def _share(days: Iterable[GatewayDay]) -> str:
    days = list(days)
    received, absent = sum(day.received for day in days), sum(day.missing + day.declared for day in days)
    return _percent(received / (received + absent)) if received + absent else "?"


def _percent(share: float) -> str:
    """Writes 99.97 % as 99.9: what is not whole is never 100."""
    return f"{share * 100:.0f}" if share in {0.0, 1.0} else f"{min(99.9, max(0.1, share * 100)):.3g}"


def _late(told: Iterable[Lateness]) -> list[Late]:
    of_each: dict[str, list[Lateness]] = defaultdict(list)
    for day in told:
        of_each[day.gateway_id].append(day)
    latest_first = sorted(of_each.items(), key=lambda item: -max(day.late_seconds for day in item[1]))
    return [
        Late(
            gateway,
            _span(sum(day.middle_seconds * day.batches for day in days) / sum(day.batches for day in days)),
            _span(max(day.late_seconds for day in days)),
        )
        for gateway, days in latest_first
    ]


def by_reason(told: Iterable[Rejects]) -> list[SetAside]:
    """Puts the sites of one reason together, as its cure is the same; the most first."""
    of_each: dict[str, list[Rejects]] = defaultdict(list)
    for each in told:
        of_each[each.reason].append(each)
    return sorted(map(_together, of_each.values()), key=lambda each: -each.rejects)


def _together(same: list[Rejects]) -> SetAside:
    newest, first_time = max(same, key=lambda each: each.last_time), min(each.first_time for each in same)
    return SetAside(
        newest=replace(newest, first_time=first_time),
        rejects=sum(each.rejects for each in same),
        replayed=sum(each.replayed for each in same),
        devices=sum(each.devices for each in same),
        sites=tuple(sorted({each.site_id for each in same if each.site_id})),
    )


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else duration(timedelta(seconds=seconds))


def _headline(told: Trust) -> str:
    if not told.days:
        return "Nothing has arrived in this time"
    missing, dropped = sum(day.missing for day in told.days), sum(day.declared for day in told.days)
    lost = sum(day.readings_lost for day in told.days)
    refused = sum(each.rejects - each.replayed for each in told.rejects)
    parts = [
        f"{counted(missing, 'batch is', 'batches are')} missing" if missing else "no batch is missing of those that are known",
        *([f"{counted(dropped, 'was', 'were')} dropped by {'its' if dropped == 1 else 'their'} gateway"] if dropped else []),
        *([f"{counted(lost, 'reading was', 'readings were')} lost"] if lost else []),
        *([f"{counted(refused, 'message was', 'messages were')} set aside"] if refused else []),
    ]
    return capital(", ".join(parts))


PAGE = Page("/trust", "Data trust", "trust.html.j2", _content)
