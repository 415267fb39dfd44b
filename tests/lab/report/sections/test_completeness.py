from dataclasses import replace
from datetime import timedelta

from lab.report.query_results import QueryResults
from lab.report.sections import completeness
from tests.lab.acts.test_run_record import T

EMPTY = QueryResults(**dict.fromkeys(QueryResults.__slots__, ()))


def test_a_gap_in_completeness_is_shown() -> None:
    hours = tuple(
        {
            "gateway_id": "a",
            "hour": T + timedelta(hours=number),
            "received": 2,
            "missing": number,
            "declared": 0,
            "completeness": 2 / (2 + number),
        }
        for number in range(2)
    )
    shown = completeness.content(replace(EMPTY, completeness=hours))
    assert shown["gateways"] == [{"gateway_id": "a", "days": 1, "received": 4, "missing": 1, "declared": 0}]
    assert "1 missing, none declared" in completeness.lede(shown)
    assert "var(--vermillion)" in shown["chart"]
