"""A person reads names, the site's own time, units, how long it lasts and what to do; identifiers are at the foot alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from notify import wording
from notify.notice import Notice
from tests.notify.alerts import alert

OPENED = datetime(2026, 5, 14, 11, 20, tzinfo=UTC)
OAK = alert(
    site_id="mill-field",
    device_id="soil-01",
    site_name="Mill Field",
    device_name="Probe at the oak",
    time_zone="America/Chicago",
    unit="m3/m3",
    value=0.12,
    severity="critical",
    message="Mill Field, Probe at the oak: water it now (0.12 m3/m3)",
    to_do="Open the valve of the drip line",
    link="https://farm.example.com/sites/mill-field",
    opened_time=OPENED,
    event_time=OPENED + timedelta(hours=3),
    as_of=OPENED + timedelta(hours=3, minutes=20, seconds=9),
)


def test_a_text_says_what_a_person_needs() -> None:
    assert wording.text(Notice((OAK,))).splitlines() == [
        "Critical: Mill Field, Probe at the oak: water it now (0.12 m³/m³)",
        "",
        "Where: Mill Field, Probe at the oak",
        "Since: 06:20, 14 May 2026, America/Chicago, for 3 h 20 min",
        "Value: 0.12 m³/m³ (limit 0.15 m³/m³)",
        "To do: Open the valve of the drip line",
        "More: https://farm.example.com/sites/mill-field",
        "",
        "critical, rule dry, opened, revision 0",
        "alert dry:d1:1777636800000000",
    ]


def test_a_score_is_not_told() -> None:
    assert "Value" not in wording.text(Notice((replace(OAK, unit=None, threshold=None),)))


def test_what_is_over_says_when_it_ended_and_how_long_it_lasted() -> None:
    over = replace(OAK, state="resolved", revision=1, event_time=OPENED + timedelta(hours=5), to_do=None, link=None)
    text = wording.text(Notice((over,)))
    assert text.startswith("Over: Mill Field")
    assert "Over: 11:20, 14 May 2026, America/Chicago, after 5 h (since 06:20, 14 May 2026, America/Chicago)" in text
    assert "To do" not in text


def test_the_day_is_that_of_the_site() -> None:
    late = replace(OAK, opened_time=datetime(2026, 5, 14, 3, tzinfo=UTC))
    assert "Since: 22:00, 13 May 2026, America/Chicago" in wording.line(Notice((late,)))


@pytest.mark.parametrize("zone", [None, "Mars/Olympus", "../etc/passwd"])
def test_a_site_without_a_zone_or_with_one_that_nobody_knows_has_utc(zone: str | None) -> None:
    assert "Since: 11:20, 14 May 2026, UTC" in wording.line(Notice((replace(OAK, time_zone=zone),)))


def test_a_row_of_an_earlier_pipeline_reads_too() -> None:
    text = wording.text(Notice((alert(),)))
    assert "Where: north, d1\n" in text
    assert "Value: 0.1 (limit 0.15)\n" in text


def test_a_subject_is_one_line_that_fits_and_has_no_identifier() -> None:
    storm = Notice.of([OAK] + [replace(OAK, alert_id=f"dry:d{number}:1", severity="info") for number in range(2, 16)])
    assert wording.subject(storm) == "Critical and 14 more: Mill Field, Probe at the oak: water it now (0.12 m³/m³)"
    assert len(wording.subject(Notice((replace(OAK, message="x" * 2000),)))) == wording.LONGEST_SUBJECT


def test_of_many_the_open_and_severe_come_first_and_all_are_counted() -> None:
    calm = [alert(number, severity="info") for number in range(2, 32)]
    storm = Notice.of([*calm, alert(40, revision=1, severity="critical"), OAK])
    lines = wording.text(storm).splitlines()
    assert storm.first == OAK
    assert "And 31 more of this rule and site: 32 in all, 31 open and 1 over" in lines
    assert sum(line.startswith("- Info: ") for line in lines) == wording.LISTED
    assert "- and 11 that are not listed: the view alerts has them all" in lines
    assert sum("dry:d" in line for line in lines) == 1
