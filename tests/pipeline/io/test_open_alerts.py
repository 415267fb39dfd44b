"""What the warehouse has as open alerts, read as a pipeline reads it at its start."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta

from pipeline.facts import rows_of
from pipeline.io.open_alerts import open_alerts
from pipeline.io.warehouse import Warehouse, appender
from schemas.records import Alert
from tests.pipeline.bodies import NOW


def alert(subject: str, revision: int, state: str, *, opened: int = 0, historical: bool = False, notified: bool | None = True) -> Alert:
    return Alert(
        alert_id=f"of-start:{subject}:{opened}",
        rule="of-start",
        source="event",
        subject=subject,
        severity="warning",
        state=state,
        opened_time=NOW + timedelta(hours=opened),
        event_time=NOW + timedelta(hours=opened, minutes=revision),
        message="m",
        historical=historical,
        notified=notified,
        revision=revision,
        as_of=NOW,
    )


def test_the_latest_alert_of_each_rule_and_subject_is_read_if_it_is_open(tables: Warehouse) -> None:
    rows = [
        alert("open", 0, "opened"),
        alert("open", 1, "updated", historical=True, notified=False),
        alert("over", 0, "opened"),
        alert("over", 1, "resolved"),
        alert("superseded", 0, "opened"),
        alert("superseded", 0, "opened", opened=2, historical=True, notified=False),
        alert("before-0.3", 0, "opened", notified=None),
    ]
    written = rows_of(Alert, [asdict(row) for row in rows])
    assert appender(tables).append({written.table: [written.rows]}) == []
    known = {each.subject: each for each in open_alerts(tables) if each.rule == "of-start"}
    assert known == {
        "open": replace(rows[1], historical=False),
        "superseded": rows[5],
        "before-0.3": rows[6],
    }
