"""Alerts that the true values do not support are closed, those that are missing are added, once; what is young is left alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from derive.alerts import corrections
from pipeline.alerts.observation import Observation
from pipeline.alerts.sources import state_machine
from schemas.envelope import micros
from schemas.records import Alert, AlertChange
from schemas.rules.site_window import SiteWindowRule

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
NOW = BEGIN + timedelta(days=10)
MACHINE = state_machine(SiteWindowRule(name="dry", channel="moisture", below=0.2, window_seconds=3600, cooldown_seconds=0))


def hours(values: Sequence[float], begin: datetime = BEGIN) -> Iterator[Observation]:
    for number, value in enumerate(values):
        start = micros(begin) + number * 3_600_000_000
        yield Observation(
            rule="dry", subject="north", at=start, known_at=start + 3_600_000_000, value=value, site_id="north", text=f"{value}"
        )


def latest(rows: list[Alert]) -> list[Alert]:
    return list({row.alert_id: row for row in rows}.values())


def test_a_missing_alert_is_added_once_and_nobody_is_notified() -> None:
    values = [0.3, 0.1, 0.1, 0.3]
    rows = list(corrections(MACHINE, hours(values), [], NOW))
    assert [(row.state, row.event_time) for row in rows] == [
        (AlertChange.OPENED, BEGIN + timedelta(hours=1)),
        (AlertChange.RESOLVED, BEGIN + timedelta(hours=3)),
    ]
    assert all(row.historical and not row.notified for row in rows)
    assert list(corrections(MACHINE, hours(values), latest(rows), NOW)) == []


def test_an_open_alert_that_no_value_supports_is_closed_once_and_says_why() -> None:
    [opened] = corrections(MACHINE, hours([0.1]), [], NOW)
    opened = replace(opened, historical=False, notified=True)
    [closed] = corrections(MACHINE, hours([0.3, 0.3]), [opened], NOW)
    assert (closed.alert_id, closed.state, closed.revision) == (opened.alert_id, AlertChange.RESOLVED, 1)
    assert "corrected by recomputation" in closed.message
    assert list(corrections(MACHINE, hours([0.3, 0.3]), [closed], NOW)) == []


def test_an_alert_that_the_values_support_is_left_as_it_is() -> None:
    [opened] = corrections(MACHINE, hours([0.1]), [], NOW)
    assert list(corrections(MACHINE, hours([0.1, 0.15]), [opened], NOW)) == []
    resolved = replace(opened, state=AlertChange.RESOLVED, event_time=BEGIN + timedelta(hours=2), revision=1)
    assert list(corrections(MACHINE, hours([0.1, 0.15, 0.3]), [resolved], NOW)) == []


def test_an_alert_whose_end_was_lost_ends() -> None:
    [opened] = corrections(MACHINE, hours([0.1]), [], NOW)
    [closed] = corrections(MACHINE, hours([0.1, 0.3]), [opened], NOW)
    assert closed.state == AlertChange.RESOLVED


def test_what_is_younger_than_an_hour_is_left_to_the_running_pipeline() -> None:
    [opened] = corrections(MACHINE, hours([0.1]), [], NOW)
    assert list(corrections(MACHINE, hours([0.1, 0.3]), [opened], BEGIN + timedelta(hours=2, minutes=59))) == []
    assert list(corrections(MACHINE, hours([0.1]), [], BEGIN + timedelta(hours=1, minutes=59))) == []
    assert len(list(corrections(MACHINE, hours([0.1]), [], BEGIN + timedelta(hours=2)))) == 1
