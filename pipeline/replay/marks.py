"""Makes rows of replays_v1: what of which reject has come in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pipeline.elements import Clock, TableRows
from pipeline.facts import rows_of
from pipeline.replay.elements import Replayed
from schemas.records import Replay


def marks(replayed: Iterable[Replayed], now: datetime) -> TableRows:
    """Returns a row for each reject, of the most rows that came in of it."""
    rows = [{"reject_id": each.reject_id, "replayed_time": now, "rows_in": each.rows_in, "rows_left": each.rows_left} for each in replayed]
    return rows_of(Replay, rows)


def mark(replayed: Replayed, clock: Clock) -> TableRows:
    return marks([replayed], clock())
