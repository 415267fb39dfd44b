"""Computes rollups anew from the facts, set of hours by set of hours, says how far it is, and keeps a record.

Idempotent: what is as the facts say is not written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from google.cloud import bigquery

from derive import alerts, irrigation
from schemas.records import Recomputation
from schemas.registry import Registry
from sql import recomputation
from sql.recomputation import Choice, Span

Echo = Callable[[str], None]
"""Says a sentence to whoever waits."""


@dataclass(frozen=True, slots=True)
class How:
    """Says how many hours of sites a statement looks at, and whether anything is written."""

    at_most: int = recomputation.SITE_HOURS
    dry_run: bool = False


def derive(client: bigquery.Client, choice: Choice, registry: Registry, echo: Echo, how: How = How()) -> Recomputation:
    """Looks at the chosen hours, and at what rests on them. Raises GoogleAPICallError from the service."""
    started = datetime.now(UTC)
    spans = recomputation.spans(client, choice, how.at_most)
    windows = 0
    for number, span in enumerate(spans, 1):
        changed = recomputation.recompute(client, choice, span, started, dry_run=how.dry_run)
        windows += changed
        echo(f"{number} of {len(spans)}: {_text(span)}: {changed} windows {'differ' if how.dry_run else 'written anew'}")
    days = irrigation.derive(client, registry, spans, started, dry_run=how.dry_run)
    rows = alerts.derive(client, registry, spans, started, dry_run=how.dry_run)
    record = Recomputation(
        started_time=started,
        ended_time=datetime.now(UTC),
        by_marks=choice.by_marks,
        from_time=spans[0].from_time if spans else None,
        to_time=spans[-1].to_time if spans else None,
        site_hours=sum(span.site_hours for span in spans),
        site_windows=windows,
        irrigation_days=len(days),
        alert_rows=len(rows),
    )
    if not how.dry_run:
        recomputation.keep(client, record)
    return record


def counts(record: Recomputation, *, dry_run: bool = False) -> str:
    """Returns a sentence for whoever waited."""
    changed = f"{record.site_windows} site windows, {record.irrigation_days} days of fields and {record.alert_rows} rows of alerts"
    return f"recomputed: looked at {record.site_hours} hours of sites, {changed} {'would change' if dry_run else 'changed'}"


def _text(span: Span) -> str:
    return f"{span.site_hours} hours of sites from {span.from_time:%Y-%m-%d %H:%M} to {span.to_time:%Y-%m-%d %H:%M}"
