"""The view soils has the numbers that the water balance counts with."""

from __future__ import annotations

import pytest
from google.cloud import bigquery

from pipeline.irrigation.crops import SOILS


def test_the_view_has_the_soils_of_the_water_balance(applied: bigquery.Client) -> None:
    shown = {row["soil"]: row for row in applied.query_and_wait("select * from tinybeam.soils")}
    assert shown.keys() == SOILS.keys()
    for name, soil in SOILS.items():
        assert (shown[name]["field_capacity"], shown[name]["wilting_point"]) == (soil.field_capacity, soil.wilting_point)
        assert shown[name]["stress_moisture"] == pytest.approx((soil.field_capacity + soil.wilting_point) / 2)
