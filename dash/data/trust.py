"""Whether the data can be trusted: what arrived of what was sent, how late, and what was not understood."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dash.data.span import Span
from dash.data.warehouse import Questions, Row
from schemas.remedies import remedy

MOST_GATEWAYS = 100
"""So many the answer holds, of which most is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayDay:
    """The batches that a gateway cut on a day, by the numbers: `declared` were dropped by the gateway, which says so."""

    gateway_id: str
    day: datetime
    received: int
    missing: int
    declared: int
    thinned: int
    readings_lost: int

    @property
    def completeness(self) -> float | None:
        """Returns what arrived as a share, 0 to 1; None where nothing was cut."""
        cut = self.received + self.missing + self.declared
        return self.received / cut if cut else None


@dataclass(frozen=True, slots=True)
class Lateness:
    """How long after its newest reading a batch of summaries of a day arrived, in seconds: the middle one, and one in a hundred."""

    gateway_id: str
    day: datetime
    batches: int
    middle_seconds: float
    late_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejects:
    """What was set aside for one reason. `site_id` is None where no device is known."""

    site_id: str | None
    reason: str
    stage: str
    rejects: int
    replayed: int
    devices: int
    first_time: datetime
    last_time: datetime
    newest_message: str

    @property
    def remedy(self) -> str:
        """Returns what to do about it in a few words, nothing where nobody knows."""
        return remedy(self.reason)

    @property
    def replay_command(self) -> str:
        return f"tinybeam rejects replay --reason {self.reason} --from {self.first_time:%Y-%m-%d} --dry_run"


@dataclass(frozen=True, slots=True)
class Trust:
    """All of it over a span, of the hundred worst gateways at most."""

    days: tuple[GatewayDay, ...]
    lateness: tuple[Lateness, ...]
    rejects: tuple[Rejects, ...]


def read(questions: Questions, span: Span) -> Trust:
    """Raises Unreachable."""
    of_span = {"from_time": span.begin, "to_time": span.end}
    questions.ahead("completeness", "lateness", "rejects", **of_span)
    days = _once_a_gateway(questions.query("completeness", **of_span))
    lateness = _once_a_gateway(questions.query("lateness", **of_span))
    return Trust(
        tuple(GatewayDay(**row) for row in days),
        tuple(Lateness(**row) for row in lateness),
        tuple(Rejects(**row) for row in questions.query("rejects", **of_span)),
    )


def _once_a_gateway(rows: Iterable[Row]) -> Iterable[Row]:
    """Takes one row for each gateway and day, whatever the number of its sites, without the site."""
    once = {(row["gateway_id"], row["day"]): row for row in rows}
    return ({name: value for name, value in row.items() if name != "site_id"} for row in once.values())
