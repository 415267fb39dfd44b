import threading
from datetime import UTC, datetime, timedelta

import pytest

from lab.acts.faults import Deed, Spell, spells
from lab.witness.latency import Arrival, Watch, percentile

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

    with Watch(ask, 0.001) as watch:
        assert asked.wait(10)
    assert [(arrival.batch_id, arrival.newest) for arrival in watch.arrivals()] == [("a", _at(0)), ("b", _at(1))]


def test_a_warehouse_that_refuses_to_answer_is_not_hidden() -> None:
    asked = threading.Event()

    def ask() -> dict[str, datetime]:
        asked.set()
        raise RuntimeError("no such table")

    with Watch(ask, 0.001) as watch:
        assert asked.wait(10)
    with pytest.raises(RuntimeError, match="no such table"):
        watch.arrivals()


@pytest.mark.parametrize(("newest", "seen", "met"), [(0, 3, False), (0, 11, True), (12, 14, True), (19, 30, True), (27, 28, False)])
def test_a_batch_met_a_fault_if_it_was_on_its_way_then(newest: float, seen: float, *, met: bool) -> None:
    assert Spell(_at(10), _at(26)).met(Arrival("a", _at(newest), _at(seen))) is met


def test_a_spell_lasts_from_its_deed_until_after_the_next() -> None:
    def deed(*, begins: bool) -> Deed:
        return Deed(0.0, 0.0, "", lambda: None, "a fault" if begins else "")

    times = {10: True, 20: False, 40: True, 50: False}
    found = spells([(_at(seconds), deed(begins=begins)) for seconds, begins in times.items()])
    assert found == [Spell(_at(10), _at(26)), Spell(_at(40), _at(56))]
