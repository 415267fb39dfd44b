from dataclasses import replace
from datetime import timedelta

from lab.report.query_results import QueryResults
from lab.report.sections import alerts
from tests.lab.acts.test_run_record import ALERT, RECORD, T

EMPTY = QueryResults(**dict.fromkeys(QueryResults.__slots__, ()))


def test_the_newest_alert_comes_first_and_no_more_than_fit_are_shown() -> None:
    received = tuple(replace(ALERT, received=T + timedelta(seconds=number), message=str(number)) for number in range(11))
    shown = alerts.content(replace(RECORD, alerts=received), replace(EMPTY, alerts=({"alert_id": "x", "historical": True},)))
    assert [alert["message"] for alert in shown["delivered"]] == ["10", "9", "8", "7", "6", "5", "4", "3"]
    assert (shown["more"], shown["historical"]) == (3, 1)
