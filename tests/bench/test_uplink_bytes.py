"""The bytes that go up are counted of what a real gateway cut, and a deadband leaves out none of the readings."""

from __future__ import annotations

import pytest

from bench import batch_bytes, requests
from bench.uplink_bytes import Plan, figures
from edge.uplink.pubsub_wire import HEADER_BYTES, TOKEN_BYTES


def test_three_hours_of_one_probe_cost_fewer_bytes_with_a_deadband_and_report_as_much() -> None:
    plans = [Plan("at once", 60, deadband=False), Plan("deadband", 60, deadband=True)]
    rows = {row["name"]: row for row in figures(3, 1, plans)}
    at_once, deadband = rows["summary rows, at once"], rows["summary rows, deadband"]
    assert (at_once["value"], at_once["baseline"], at_once["ratio"]) == (2880, 1440, 2.0)
    assert deadband["value"] < at_once["value"] / 2
    assert rows["everything up, deadband, 1 devices"]["value"] < rows["everything up, at once, 1 devices"]["value"]
    assert rows["without the token, deadband"]["value"] < rows["everything up, deadband, 1 devices"]["value"]
    assert 100 < rows["everything up, at once, 1 devices"]["baseline"] / 1440 < 150
    assert rows["requests, at once"]["value"] <= (12 + 2) * 8


def test_what_is_counted_around_a_request_is_what_googles_client_sends() -> None:
    assert requests.bytes_around() == pytest.approx(HEADER_BYTES, rel=0.15)
    assert requests.bytes_around(requests.TOKEN) == pytest.approx(HEADER_BYTES + TOKEN_BYTES, rel=0.05)


def test_the_fewer_rows_a_batch_has_the_more_it_gains() -> None:
    rows = list(batch_bytes.figures(500, sensors=[(60, "1/min")]))
    assert [row.name.split()[1] for row in rows] == ["2", "5", "10", "20", "50", "500"]
    ratios = [row.ratio or 1.0 for row in rows]
    assert all(ratio < 0.5 for ratio in ratios[:5])
    assert ratios[0] < 0.2
