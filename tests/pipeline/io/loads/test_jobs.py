"""A load job is done once: it is found again wherever the dataset is, and followed by another only if it failed."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, Conflict, Forbidden, InternalServerError, NotFound
from requests.exceptions import ConnectionError as NoConnection

from pipeline.io.loads import jobs
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


class Job:
    """Has ended well, or failed; `unheard` says how often asking for its end gets no answer."""

    def __init__(self, failure: Exception | None = None, unheard: int = 0) -> None:
        self.error_result = {"reason": "backendError"} if failure and not unheard else None
        self._failure, self._unheard = failure, unheard

    def result(self) -> None:
        if self._unheard:
            self._unheard -= 1
            raise NoConnection("reset")
        if self._failure:
            raise self._failure


class Service:
    """Is a warehouse and its client: makes the given jobs one after the other, and knows those of before by their names."""

    datasets = Datasets("farm")

    def __init__(self, *jobs: Job) -> None:
        self._to_make = list(jobs)
        self.made: dict[str, Job] = {}

    def client(self) -> Service:
        return self

    def path(self, table: str) -> str:
        return table

    def load_table_from_uri(self, *_: Any, job_id: str, **__: Any) -> Job:
        if job_id in self.made:
            raise Conflict("Already Exists")
        self.made[job_id] = self._to_make.pop(0)
        return self.made[job_id]

    def get_dataset(self, _: str) -> Any:
        return SimpleNamespace(location="europe-west1")

    def get_job(self, job_id: str, location: str) -> Job:
        return self.made[job_id]


class NoWait(Random):
    """Never waits between two attempts."""

    def uniform(self, a: float, b: float) -> float:
        return 0.0


def load(service: Service, *, for_ever: bool = False) -> list[str]:
    """Loads two files; returns the names of the jobs that were made."""
    jobs.load(service, "t_v1", "j", ["gs://b/1", "gs://b/2"], NoWait(), for_ever=for_ever)  # type: ignore[arg-type]
    return list(service.made)


def test_a_job_whose_end_was_not_heard_of_is_asked_for_again_and_not_done_again() -> None:
    assert load(Service(Job(unheard=2), Job())) == ["j_0"]


def test_a_job_that_failed_is_followed_by_another() -> None:
    assert load(Service(Job(InternalServerError("backendError")), Job())) == ["j_0", "j_1"]


def test_a_run_that_ends_gives_up_and_a_pipeline_waits_for_a_quota() -> None:
    with pytest.raises(RuntimeError, match="load into t_v1 failed 5 times; the last job is j_"):
        load(Service(*(Job(InternalServerError("backendError")) for _ in range(6))))
    with pytest.raises(Forbidden):
        load(Service(Job(Forbidden("quotaExceeded")), Job()))
    assert load(Service(*(Job(Forbidden("quotaExceeded")) for _ in range(7)), Job()), for_ever=True)[-1] == "j_7"


def test_rows_that_do_not_fit_are_told_at_once() -> None:
    for for_ever in (True, False):
        service = Service(Job(BadRequest("invalid")), Job())
        with pytest.raises(BadRequest):
            load(service, for_ever=for_ever)
        assert list(service.made) == ["j_0"]


def test_no_job_has_more_files_than_bigquery_takes() -> None:
    service = Service(Job(), Job(), Job())
    jobs.load(service, "t_v1", "j", [f"gs://b/{number}" for number in range(20_001)], NoWait())  # type: ignore[arg-type]
    assert list(service.made) == ["j_0", "j_10000_0", "j_20000_0"]
