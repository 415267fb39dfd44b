"""The bytes that go up are counted of what a real gateway cut, and a deadband leaves out none of the readings."""

from __future__ import annotations

from bench.uplink_bytes import Plan, figures


def test_an_hour_of_one_probe_costs_fewer_bytes_with_a_deadband_and_reports_as_much() -> None:
    plans = [Plan("at once", 60, deadband=False), Plan("deadband", 60, deadband=True)]
    rows = {row["name"]: row for row in figures(1, 1, plans)}
    at_once, deadband = rows["summary rows, at once"], rows["summary rows, deadband"]
    assert (at_once["value"], at_once["baseline"], at_once["ratio"]) == (2880, 1440, 2.0)
    assert deadband["value"] < at_once["value"] / 2
    assert rows["summaries up, deadband"]["value"] < rows["summaries up, at once"]["value"] / 2
    assert rows["everything up, deadband, 1 devices"]["value"] > rows["summaries up, deadband"]["value"]
    assert 100 < rows["summaries up, at once"]["baseline"] / 1440 < 150
