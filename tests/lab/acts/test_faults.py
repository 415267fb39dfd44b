from datetime import UTC, datetime, timedelta

import pytest

from lab.acts.faults import FaultInterval, PerformedAction, fault_intervals
from lab.witness.latency import Arrival

T = datetime(2026, 5, 1, tzinfo=UTC)


def _at(seconds: float) -> datetime:
    return T + timedelta(seconds=seconds)


@pytest.mark.parametrize(("newest", "visible", "affected"), [(0, 3, False), (0, 11, True), (12, 14, True), (19, 30, True), (27, 28, False)])
def test_a_fault_affects_a_batch_that_was_on_its_way_then(newest: float, visible: float, *, affected: bool) -> None:
    assert FaultInterval(_at(10), _at(26)).affects(Arrival("a", _at(newest), _at(visible))) is affected


def test_a_fault_lasts_from_the_action_that_began_it_until_a_while_after_the_one_that_ended_it() -> None:
    times = {10: "a fault", 20: "", 40: "a fault", 50: ""}
    actions = [PerformedAction(_at(seconds), "", fault) for seconds, fault in times.items()]
    assert fault_intervals(actions) == [FaultInterval(_at(10), _at(26)), FaultInterval(_at(40), _at(56))]
