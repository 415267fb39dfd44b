"""Samples go up with the windows that they are of, and cost nothing but their bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.config import ConfigError
from tests.edge.gateways import START, config, message, rows
from tests.edge.test_gateway import SECOND, SOIL, OnePlace, modelled, reading

MODELS = [{"name": "soil", "bundle": str(SOIL)}]


def sampling_place(directory: Path, **samples: Any) -> OnePlace:
    return OnePlace(directory, config(directory, sensors=modelled(), models=MODELS, batches={"seconds": 30}, samples=samples))


def hear(place: OnePlace, windows: int, *, seq: int = 0) -> None:
    """One reading a window of a minute, cut at once."""
    for number in range(seq + 1, seq + windows + 1):
        now = START + number * 60 * SECOND
        place.gateway.accept([message("d1", reading(number, number * 60.0))], now)
        place.gateway.tick(now + 30 * SECOND)


def windows(place: OnePlace, kind: str) -> list[Any]:
    return [row["window_start"] for row in rows(place.store, kind)]


def test_every_window_is_a_sample_where_one_in_one_is_drawn_over_a_restart_too(tmp_path: Path) -> None:
    place = sampling_place(tmp_path, max_bytes_per_day=1 << 20, random_one_in=1)
    hear(place, 3)
    place.reopen(START + 200 * SECOND)
    hear(place, 3, seq=3)
    assert windows(place, "samples") == windows(place, "inferences") != []
    assert {row["reason"] for row in rows(place.store, "samples")} == {"random"}
    place.store.close()


def test_the_bytes_of_a_day_bound_what_goes_up(tmp_path: Path) -> None:
    place = sampling_place(tmp_path, max_bytes_per_day=600, random_one_in=1)
    hear(place, 20)
    sizes = [len(batch.body) for batch in place.store.batches(0, 10**6) if batch.envelope.kind == "samples"]
    assert 0 < sum(sizes) <= 600
    assert len(windows(place, "inferences")) > len(windows(place, "samples"))
    place.store.close()


def test_without_a_budget_no_sample_goes_up(tmp_path: Path) -> None:
    place = sampling_place(tmp_path, random_one_in=1)
    hear(place, 3)
    assert windows(place, "samples") == []
    place.store.close()


def test_an_earlier_pipeline_is_sent_no_samples(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"samples\.max_bytes_per_day must be 0 while batches\.for_pipeline is set"):
        config(tmp_path, samples={"max_bytes_per_day": 1}, batches={"for_pipeline": "0.2"})
