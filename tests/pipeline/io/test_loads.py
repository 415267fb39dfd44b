"""A load that was already started is found again wherever the dataset is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from google.api_core.exceptions import Conflict, NotFound

from pipeline.io.warehouse import Warehouse, _start_or_find
from schemas.datasets import Datasets


class RegionalService:
    """Has the dataset in Belgium, and the job there: BigQuery finds a job outside of US and EU only by its location."""

    def load_table_from_uri(self, *_: Any, **__: Any) -> Any:
        raise Conflict("Already Exists: Job p:europe-west1.j_0")

    def get_dataset(self, name: str) -> Any:
        assert name == "farm"
        return SimpleNamespace(location="europe-west1")

    def get_job(self, job_id: str, location: str | None = None) -> str:
        if location != "europe-west1":
            raise NotFound(f"Not found: Job p:{job_id}")
        return job_id


def test_a_load_in_a_region_is_found_by_its_location() -> None:
    found = _start_or_find(RegionalService(), Warehouse("p", Datasets("farm")), "events_v1", "j_0", ["gs://bucket/rows.parquet"])
    assert found == "j_0"
