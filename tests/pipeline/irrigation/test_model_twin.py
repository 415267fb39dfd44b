"""What the choice between balance and model rests on (docs/adr/0025) holds on the first seasons of each kind of crop."""

from __future__ import annotations

import pytest

from tests.pipeline.model_twin import HALF, Compared, Plan, compared, figures, plans, share

SEASONS = 4

ByCrop = dict[bool, list[Compared]]
"""Whether the crop may use half of the water or more -> its seasons."""


def _first(*, fits: bool) -> list[Plan]:
    return [plan for plan in plans() if (share(plan) >= HALF) == fits][:SEASONS]


@pytest.fixture(scope="module")
def seasons() -> ByCrop:
    return {fits: [compared(plan) for plan in _first(fits=fits)] for fits in (True, False)}


@pytest.mark.parametrize("fits", [True, False])
def test_the_balance_finds_the_stress_of_every_crop(seasons: ByCrop, fits: bool) -> None:
    assert figures(seasons[fits], "balance").found > 0.95


def test_the_model_is_late_for_crops_that_may_use_less_than_half_of_the_water(seasons: ByCrop) -> None:
    fitting, others = (figures(seasons[fits], "model") for fits in (True, False))
    assert fitting.found > others.found + 0.1
    assert fitting.right > others.right
    assert fitting.late < 0.5
    assert others.late > 1.0
