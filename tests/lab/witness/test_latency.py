import threading
from datetime import UTC, datetime, timedelta

import pytest

from lab.witness.latency import ArrivalMonitor, percentile

T = datetime(2026, 5, 1, tzinfo=UTC)


def _at(seconds: float) -> datetime:
    return T + timedelta(seconds=seconds)


def test_percentiles_are_values_that_occurred() -> None:
    values = [float(value) for value in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1.0), percentile([7.0], 0.01)) == (50.0, 99.0, 100.0, 7.0)


def test_of_nothing_there_is_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_batch_counts_from_when_it_is_seen_first() -> None:
    asked = threading.Event()
    answers = iter([{}, {"a": _at(0)}, {"a": _at(0), "b": _at(1)}])

    def ask() -> dict[str, datetime]:
        try:
            return next(answers)
        except StopIteration:
            asked.set()
            return {}

    with ArrivalMonitor(ask, 0.001) as monitor:
        assert asked.wait(10)
    assert [(arrival.batch_id, arrival.newest_reading) for arrival in monitor.arrivals()] == [("a", _at(0)), ("b", _at(1))]


def test_a_warehouse_that_refuses_to_answer_is_not_hidden() -> None:
    asked = threading.Event()

    def ask() -> dict[str, datetime]:
        asked.set()
        raise RuntimeError("no such table")

    with ArrivalMonitor(ask, 0.001) as monitor:
        assert asked.wait(10)
    with pytest.raises(RuntimeError, match="no such table"):
        monitor.arrivals()
