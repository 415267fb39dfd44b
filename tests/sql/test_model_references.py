"""What a model was trained on comes from its bundle to the warehouse, once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.cloud import bigquery

from sql.model_references import NoReference, add, references

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MODELS = Path(__file__).parents[2] / "models"


@pytest.mark.parametrize("model", ["soil", "vibration"])
def test_a_shipped_model_says_how_each_of_its_inputs_was_distributed(model: str) -> None:
    rows = references(MODELS / model, NOW)
    inputs = json.loads((MODELS / model / "manifest.json").read_text())["recipe"]["inputs"]
    assert [(row.input, row.position) for row in rows] == [(name, position) for position, name in enumerate(inputs)]
    for row in rows:
        assert len(row.quantiles) == 21
        assert list(row.quantiles) == sorted(row.quantiles)


def test_a_bundle_without_a_reference_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoReference, match=r"manifest\.json cannot be read: No such file"):
        references(tmp_path, NOW)
    (tmp_path / "manifest.json").write_text('{"name": "soil"}')
    with pytest.raises(NoReference, match=r"manifest\.json has no reference of its inputs: train it anew, or leave it out"):
        references(tmp_path, NOW)


def test_it_is_added_once(emptied: bigquery.Client) -> None:
    rows = references(MODELS / "soil", NOW)
    assert [add(emptied, rows), add(emptied, rows)] == [True, False]
    found = {row["input"]: tuple(row["quantiles"]) for row in emptied.query_and_wait("select * from tinybeam.model_references_v1")}
    assert found == {row.input: row.quantiles for row in rows}
    emptied.query_and_wait("truncate table tinybeam.model_references_v1")
