"""Remembers what came late, and passes on a gateway's word once it says that it has delivered everything. Pure.

A gateway that comes back from an outage, or that uploads now and then, delivers what it kept, in any order. Whether a fault of that time
lasts is known when its heartbeat says that nothing from before it waits any more. A gateway's memory knows its late events, and the sites
of its late summaries; a site's memory knows what was observed late of results there, for which the gateway's word is true once they are
computed from what it delivered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.alerts.gateway_report import gateway_reports
from pipeline.alerts.observation import GatewayWord, Observation
from pipeline.alerts.state_machine import PATIENCE, PROMPT, PROMPT_RESULT
from pipeline.elements import RowGroup
from pipeline.state import StateFormat
from schemas.records import Kind

SETTLE = timedelta(seconds=10) // timedelta(microseconds=1)
"""A heartbeat may overtake on its way what was sent just before it, by less than this."""
CURRENT = PROMPT
"""Who has delivered everything up to so long ago has no backlog."""


@dataclass(frozen=True, slots=True)
class Settling:
    """Says how long after a word what it is true of may still come, and how old a word may be. Times in microseconds."""

    after: int
    current: int


OF_GATEWAY = Settling(SETTLE, CURRENT)
OF_SITE = Settling(PATIENCE, CURRENT + SETTLE + 2 * PATIENCE)
"""Results follow the rows that they are computed from after the engine's early results; their words come when a gateway's has settled."""

MOST_AWAITED = 10_000
"""Rules and subjects of one gateway; the oldest are forgotten beyond it, and history."""

_OF_SITE = ":"
"""Begins the key of a site's late summaries; that of a rule and subject begins with the rule's name."""
_SECOND = timedelta(seconds=1) // timedelta(microseconds=1)
_BETWEEN_LOOKS = timedelta(seconds=30) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Late:
    """Is what was observed late of a rule and subject. Time in microseconds."""

    key: str
    at: int


class AwaitedWords(NamedTuple):
    """Remembers one gateway; times in microseconds."""

    late: dict[str, int] = {}  # noqa: RUF012 - never changed in place
    """Rule and subject -> the event time of its latest late observation."""
    complete: int = 0
    """Until when everything is delivered, by the latest heartbeat."""
    due: int | None = None
    """When to pass the word on, in processing time."""
    lag: int | None = None
    """How far that was behind, and when it was looked at."""
    looked: int = 0
    is_steady: bool = False
    """Whether it was as far behind a while before: its clock is, or its link, and it is not working off an outage."""


AWAITED_WORDS = StateFormat("awaited_words", 1, AwaitedWords)


def late(observation: Observation, now: int) -> Iterator[tuple[str, Late]]:
    """Yields (gateway, what is late) of an observation that may be too late to notify anybody by itself."""
    if observation.gateway_id and now - observation.known_at > PROMPT // 2:
        yield observation.gateway_id, Late(observation.key, observation.at)


def late_results(observation: Observation, now: int) -> Iterator[tuple[str, Late]]:
    """Yields (site, what is late) of an observation of a result that may be too late to notify anybody by itself."""
    if observation.site_id and now - observation.known_at > PROMPT_RESULT // 2:
        yield observation.site_id, Late(observation.key, observation.at)


def late_summaries(row_group: RowGroup, now: int) -> Iterator[tuple[str, Late]]:
    """Yields (gateway, the site that is late) of summaries whose results may be too late to notify anybody by themselves. Vectorised."""
    if row_group.kind != Kind.SUMMARIES:
        return
    rows = row_group.rows.select(["gateway_id", "site_id", "window_start", "window_seconds"])
    starts = rows.column("window_start").cast(pa.int64())
    ends = pc.add(starts, pc.multiply(rows.column("window_seconds").cast(pa.int64()), _SECOND))
    late_rows = pa.table({"gateway": rows.column("gateway_id"), "site": rows.column("site_id"), "at": starts}).filter(
        pc.less(ends, now - PROMPT_RESULT // 2)
    )
    latest = late_rows.group_by(["gateway", "site"]).aggregate([("at", "max")])
    for gateway_id, site_id, at in zip(*(latest.column(name).to_pylist() for name in ("gateway", "site", "at_max")), strict=True):
        yield gateway_id, Late(_OF_SITE + site_id, at)


def site_of(word: GatewayWord) -> str | None:
    """Returns the site that a word is about; None if it is about a rule and subject."""
    return word.key.removeprefix(_OF_SITE) if word.key.startswith(_OF_SITE) else None


def completions(row_group: RowGroup) -> Iterator[tuple[str, int]]:
    """Yields (gateway, until when everything is delivered) of heartbeats."""
    if row_group.kind == Kind.HEARTBEATS:
        for report in gateway_reports(row_group):
            if report.heartbeat and report.heartbeat.complete is not None:
                yield report.gateway_id, report.heartbeat.complete


def hear(memory: AwaitedWords, report: Late | int, now: int, settling: Settling = OF_GATEWAY) -> AwaitedWords:
    """Takes what is late, or until when everything is delivered, in either order."""
    if isinstance(report, Late):
        known = {**memory.late, report.key: max(report.at, memory.late.get(report.key, report.at))}
        memory = memory._replace(late=dict(sorted(known.items(), key=_time)[-MOST_AWAITED:]))
    else:
        memory = _looked(memory._replace(complete=max(memory.complete, report)), now - report, now)
    is_due = memory.due is None and _is_current(memory, now, settling) and any(at <= memory.complete for at in memory.late.values())
    return memory._replace(due=now + settling.after) if is_due else memory


def pass_on(memory: AwaitedWords, now: int, settling: Settling = OF_GATEWAY) -> tuple[AwaitedWords, list[GatewayWord]]:
    """Gives the word to all that it is true of, unless it is old by now: a later one will come."""
    heard = [key for key, at in memory.late.items() if at <= memory.complete] if _is_current(memory, now, settling) else []
    waiting = {key: at for key, at in memory.late.items() if key not in heard}
    return memory._replace(late=waiting, due=None), [GatewayWord(key, memory.complete) for key in heard]


def _looked(memory: AwaitedWords, lag: int, now: int) -> AwaitedWords:
    """Compares how far the gateway is behind with how far it was a while ago."""
    if memory.lag is not None and now - memory.looked < _BETWEEN_LOOKS:
        return memory
    is_steady = memory.lag is not None and abs(lag - memory.lag) <= SETTLE
    return memory._replace(lag=lag, looked=now, is_steady=is_steady)


def _is_current(memory: AwaitedWords, now: int, settling: Settling) -> bool:
    return memory.is_steady or now - memory.complete <= settling.current


def _time(item: tuple[str, int]) -> int:
    return item[1]
