"""The commands about a job that is there, and what a launch refuses before it does anything."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from pipeline.dataflow.job import name_for
from schemas.datasets import Datasets
from tests.pipeline.dataflow.conftest import FLAGS
from tests.pipeline.dataflow.google_cloud import GoogleCloud
from tinybeam import main


def call(cloud: GoogleCloud | None, *words: str, answer: str = "") -> Result:
    where = [f"--dataflow_endpoint={cloud.url}"] if cloud else []
    return CliRunner().invoke(main, ["pipeline", *words, "--region=europe-west1", *where], input=answer)


@pytest.fixture
def job(cloud: GoogleCloud) -> GoogleCloud:
    """A job named tinybeam runs; one of that name was drained before, one of another name runs beside it."""
    for states, name in ((["DRAINED"], "tinybeam"), (["RUNNING"], "tinybeam"), (["RUNNING"], "tinybeam-farm")):
        cloud.states = states
        cloud.create({"name": name, "environment": {}})
    return cloud


def test_status_says_how_the_running_job_is_and_where_to_look(job: GoogleCloud) -> None:
    shown = call(job, "status", "--project=p1")
    assert (shown.exit_code, shown.output.splitlines()) == (
        0,
        [
            "tinybeam (job-2) is RUNNING since 2026-05-01T12:00:02Z",
            "https://console.cloud.google.com/dataflow/jobs/europe-west1/job-2?project=p1",
        ],
    )
    assert json.loads(call(job, "status", "--project=p1", "--json", "--dataset=farm").output)["id"] == "job-3"


def test_status_of_a_job_that_failed_says_why_and_ends_with_1(cloud: GoogleCloud) -> None:
    cloud.states, cloud.refuses = ["FAILED"], "quota"
    cloud.create({"name": "tinybeam", "environment": {}})
    shown = call(cloud, "status", "--project=p1")
    assert (shown.exit_code, shown.output.splitlines()[-1]) == (1, "quota")


def test_draining_twice_asks_once(job: GoogleCloud) -> None:
    assert call(job, "drain", "--project=p1").exit_code == call(job, "drain", "--project=p1").exit_code == 0
    assert job.requested_states == ["DRAINING"]


def test_cancelling_is_asked_for_twice_unless_it_was_said(job: GoogleCloud) -> None:
    assert call(job, "cancel", "--project=p1", answer="n\n").exit_code == 1
    assert job.requested_states == []
    assert call(job, "cancel", "--project=p1", "--yes").exit_code == 0
    assert job.requested_states == ["CANCELLED"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["drain"], "no job named tinybeam runs in europe-west1"),
        (["cancel", "--yes"], "no job named tinybeam runs in europe-west1"),
        (["status"], "no job was ever named tinybeam in europe-west1"),
    ],
)
def test_no_job_is_said(cloud: GoogleCloud, words: list[str], sentence: str) -> None:
    shown = call(cloud, *words, "--project=p1")
    assert (shown.exit_code, shown.output) == (1, f"Error: {sentence}\n")


def test_a_dataflow_that_does_not_answer_is_said() -> None:
    shown = CliRunner().invoke(main, ["pipeline", "status", "--project=p1", "--region=r1", "--dataflow_endpoint=http://localhost:1"])
    assert shown.exit_code == 1
    assert shown.output.startswith("Error: Dataflow does not answer about jobs of p1 in r1: ")


@pytest.mark.parametrize(
    ("further", "sentence"),
    [
        (["--bigquery_endpoint=http://127.0.0.1:9050"], "http://127.0.0.1:9050 is a local warehouse"),
        (["--temp_location=/tmp"], "--temp_location=gs://BUCKET/FOLDER is missing"),
        (["--archive=/var/archive"], "--archive=/var/archive is a folder of this machine"),
        (["--registry=registry.toml"], "--registry=registry.toml is a file of this machine"),
        (["--runner=DirectRunner"], "give no --runner"),
        (["--idAttribute=x"], "--idAttribute is gone: the pipeline drops repeats by the names of their batches"),
        (["--min_workers=7"], "--min_workers=7 is more than --max_workers=5"),
        (["--job_name=Tiny_Beam"], "not 'Tiny_Beam'"),
    ],
)
def test_a_launch_that_cannot_be_right_is_refused_before_anything_is_reached(further: list[str], sentence: str) -> None:
    shown = call(None, "launch", *FLAGS, *further)
    assert (shown.exit_code, sentence in shown.output) == (2, True), shown.output


def test_the_environment_of_a_local_warehouse_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9050")
    shown = call(None, "launch", *FLAGS)
    assert (shown.exit_code, "unset BIGQUERY_EMULATOR_HOST" in shown.output) == (2, True)


@pytest.mark.parametrize(
    ("datasets", "name"),
    [
        (Datasets(), "tinybeam"),
        (Datasets("Farm_A"), "tinybeam-farm-a"),
        (Datasets("farm", prefix="north_"), "tinybeam-farm-north"),
        (Datasets("_" + "x" * 90), f"tinybeam-{'x' * 54}"),
    ],
)
def test_the_job_is_named_by_the_dataset(datasets: Datasets, name: str) -> None:
    assert name_for(datasets) == name
