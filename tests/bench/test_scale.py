"""The load of a fleet is what it says, and costs are measured of the right answer alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench import scale
from bench.fleet import BACKLOG, Fleet, gateway_name
from schemas.envelope import Envelope, entries


def test_a_fleet_sends_what_it_counts_and_its_region_comes_back_at_once(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 20)
    with fleet.export_file().open("rb") as file:
        sent = [Envelope.parse(entry[0]) for entry in entries(file) if isinstance(entry, tuple)]
    different = {envelope.batch_id: envelope for envelope in sent}
    assert len(different) == fleet.batches
    assert sum(each.row_count for each in different.values() if each.kind == "summaries") == fleet.rows
    of_first = [each.seq for each in different.values() if each.gateway_id == gateway_name(0)]
    assert len(of_first) == BACKLOG + 1
    assert len(sent) > len(different), "some come twice"
    assert scale._seconds(fleet) > 0


def test_a_run_that_loses_rows_has_no_cost(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, 2)
    fleet.export_file()
    (tmp_path / "one-more").mkdir()
    short = replace(fleet, folder=tmp_path / "one-more", gateways=1)
    fleet.export_file().rename(short.folder / "1-gateways-of-5x2-by-500-for-1.tbb")
    with pytest.raises(scale.WrongAnswer):
        scale._seconds(short)


def test_states_and_parcels_are_measured() -> None:
    whole, outages, scattered = scale._states(scale.QUICK, lambda _: None)
    assert 0 < (whole.value or 0) <= (outages.value or 0) < (scattered.value or 0)
    assert [figure.value > 0 for figure in scale._parcels(scale.QUICK, lambda _: None) if figure.value] == [True] * 3
