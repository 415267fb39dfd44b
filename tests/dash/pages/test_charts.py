"""Charts say nothing that is not so."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from dash.data import machines
from dash.data.span import Span
from dash.data.viewer import Viewer
from dash.pages import charts
from tests.dash.farm import FarmWarehouse


@pytest.mark.parametrize("days", [1, 30])
def test_an_axis_of_scores_is_labelled_within_its_ends_alone(farm: FarmWarehouse, days: int) -> None:
    span = Span(farm.now - timedelta(days=days), farm.now)
    machine = machines.read(farm.asked_by(Viewer()), "machine-pump", span)
    assert machine is not None
    narrow, *_ = re.findall(r"<svg.*?</svg>", charts.scores(machine, span, "scores"), re.DOTALL)
    highest = max(at.high for at in machine.scores)
    labels = [float(text) for text in re.findall(r">(\d*\.?\d+)</text>", narrow)]
    assert labels == [0.1, 1, 10, 100]
    assert highest < 1000
