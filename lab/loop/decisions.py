"""Asks the warehouse what was decided about releases, by which figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from google.cloud import bigquery

from lab.loop.result import Decided
from lab.witness.questions import ask

_DECIDED = """
select decided_time, release, control, action, share, reasons, compared_on, device_days
from tinybeam.release_decisions
where decided_time >= @from_time
order by decided_time
"""


def decided(client: bigquery.Client, begin: datetime) -> tuple[Decided, ...]:
    """Returns the decisions of a season that began then, the oldest first."""
    return tuple(
        Decided(
            day=(row.decided_time - begin).days,
            release=row.release,
            control=row.control,
            action=row.action,
            share=row.share,
            reasons=row.reasons,
            compared_on=row.compared_on,
            device_days=row.device_days,
        )
        for row in ask(client, _DECIDED, from_time=begin)
    )


def ended(decisions: Sequence[Decided], release: int | None) -> str:
    """Returns what was decided of a release last; empty if nothing was."""
    return next((each.action for each in reversed(decisions) if each.release == release), "")
