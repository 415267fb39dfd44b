"""The speeds through the pipeline, tiny: that they are measured, and of the right answer."""

from __future__ import annotations

from collections import Counter

import pytest

from bench import beams, rows
from bench.messages import ROWS_A_MINUTE, Workload

LINES: list[str] = []


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    return Workload(tmp_path_factory.mktemp("load"), ROWS_A_MINUTE, 50)


@pytest.mark.parametrize("name", ["facts", "rollups"])
def test_each_way_through_the_pipeline_has_a_speed_and_a_baseline(name, tmp_path):
    figures = getattr(rows, name)(tmp_path, rows.QUICK, LINES.append)
    assert len(figures) == len(rows.QUICK.rows) * 2 + 1
    assert all(figure.value > 0 and figure.ratio == pytest.approx(figure.value / figure.baseline, rel=0.01) for figure in figures)


def test_the_path_of_facts_alone_writes_the_facts_of_the_whole_flow(load):
    whole = beams.run(beams.whole_flow(load.export_file()))
    without_rollups = beams.run(beams.facts_only(load.export_file()))
    assert without_rollups == Counter({name: whole[name] for name in ("summaries_v1", "batches_v1")})
    assert whole["site_windows_v1"] == 20 * 4 * 2


def test_a_run_that_loses_rows_has_no_speed(load):
    with pytest.raises(rows.WrongAnswer, match=str(load.rows + 1)):
        rows._speed(load, beams.facts_only(load.export_file()), {"summaries_v1": load.rows + 1})
