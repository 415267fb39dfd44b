"""Results become rows of their table."""

from __future__ import annotations

from dataclasses import fields

from pipeline.rollup.stats import HOUR, row
from schemas.records import SiteWindow, Timing
from tests.pipeline.bodies import NOW, summary, with_sites
from tests.pipeline.rollup.heard import hours


def test_a_row_has_the_columns_of_its_table() -> None:
    [(key, hour)] = hours([with_sites([summary()])]).items()
    rows = [row(key, window, 0, Timing.BATCH, NOW) for window in hour.windows]
    assert [list(one) for one in rows] == [[column.name for column in fields(SiteWindow)]] * 2
    assert [one["window_seconds"] for one in rows] == [60, HOUR]
