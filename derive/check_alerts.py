"""Makes alerts of what the checks of sql/checks/ find: one opens when a check finds something, and is resolved once it finds nothing.

At most one alert of a check is open, about the warehouse. People are told before the row is written: what fails in between is told again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from google.cloud import bigquery

from derive.rows import append
from schemas.arrow import table_columns
from schemas.envelope import micros
from schemas.notification import MAX_TEXT
from schemas.records import Alert, AlertChange, Severity
from schemas.warehouse import DATASET
from sql.questions import ask
from sql.scripts import Script

SOURCE, SUBJECT = "check", "warehouse"
Publish = Callable[[Alert], None]
"""Tells people; returns when the message is taken."""

_NAMES = ", ".join(f"`{column.name}`" for column in table_columns(Alert))
_LATEST = f"""
select {_NAMES}
from {DATASET}.alerts_v1
where opened_time >= timestamp_sub(@now, interval 366 day) and rule = @rule and source = '{SOURCE}'
order by event_time desc, revision desc
limit 1
"""


@dataclass(frozen=True, slots=True)
class Watch:
    """Is a check with its parameters, and how much it matters when it finds something."""

    check: Script
    parameters: Mapping[str, str]
    severity: Severity = Severity.WARNING


def run(client: bigquery.Client, watch: Watch, publish: Publish, now: datetime) -> Alert | None:
    """Runs a check. Returns the alert's row that it made, None if nothing has changed. Raises GoogleAPICallError."""
    findings = [dict(row) for row in ask(client, watch.check, watch.parameters, now)]
    row = changed(watch, findings, _latest(client, watch.check.name, now), now)
    if row:
        publish(row)
        append(client, Alert, [row])
    return row


def changed(watch: Watch, findings: Sequence[Mapping[str, Any]], latest: Alert | None, now: datetime) -> Alert | None:
    """Returns what these findings make of the latest row of the check's alerts, None if they change nothing."""
    name = watch.check.name
    is_open = latest is not None and latest.state != AlertChange.RESOLVED
    if bool(findings) == is_open:
        return None
    if latest and is_open:
        return replace(
            latest,
            state=AlertChange.RESOLVED,
            severity=Severity.INFO,
            event_time=now,
            message=f"The check that {name.replace('_', ' ')} finds nothing any more",
            to_do=None,
            revision=latest.revision + 1,
            as_of=now,
        )
    return Alert(
        alert_id=f"{name}:{SUBJECT}:{micros(now)}",
        rule=name,
        source=SOURCE,
        subject=SUBJECT,
        severity=watch.severity,
        state=AlertChange.OPENED,
        opened_time=now,
        event_time=now,
        message=_message(watch.check, findings),
        historical=False,
        revision=0,
        as_of=now,
        notified=True,
        to_do=f"Look at all of it: `tinybeam sql check {name}`",
    )


def _message(check: Script, findings: Sequence[Mapping[str, Any]]) -> str:
    first = ", ".join(f"{name} {_plain(value)}" for name, value in findings[0].items())
    text = f"The check that {check.name.replace('_', ' ')} has {len(findings)} findings; the first: {first}"
    return "".join(character if character.isprintable() else " " for character in text)[:MAX_TEXT]


def _plain(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)


def _latest(client: bigquery.Client, rule: str, now: datetime) -> Alert | None:
    config = bigquery.QueryJobConfig(
        query_parameters=[bigquery.ScalarQueryParameter("now", "TIMESTAMP", now), bigquery.ScalarQueryParameter("rule", "STRING", rule)]
    )
    return next((Alert(**dict(row.items())) for row in client.query_and_wait(_LATEST, job_config=config)), None)
