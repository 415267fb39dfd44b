"""What a launcher does about a job, whatever Dataflow says and whoever interrupts: the flow that is submitted is a fake."""

from __future__ import annotations

import os
import signal

import pytest

from pipeline.dataflow.choices import job_options
from pipeline.dataflow.launch import Launcher, NotLaunched
from pipeline.io.dataflow_jobs import DataflowJobs
from pipeline.options import Options
from tests.pipeline.dataflow.conftest import FLAGS, SETTINGS
from tests.pipeline.dataflow.google_cloud import GoogleCloud


def launcher(cloud: GoogleCloud, sentences: list[str] | None = None) -> Launcher:
    """A launcher whose flows are nothing but a name, and what it replaces."""

    def submit(options: Options) -> str:
        services = [word.partition("=")[2] for word in options.beam if word.startswith("--dataflow_service_options=")]
        replaced = cloud.jobs[0].id if "--update" in options.beam else ""
        return str(cloud.create({"name": SETTINGS.name, "replaceJobId": replaced, "environment": {"serviceOptions": services}})["id"])

    say = (sentences if sentences is not None else []).append
    return Launcher(jobs=DataflowJobs("my-project", "europe-west1", cloud.url), submit=submit, say=say, seconds=0.01)


OPTIONS = job_options(FLAGS)


def test_a_launch_returns_when_the_job_runs(cloud: GoogleCloud) -> None:
    sentences: list[str] = []
    seen = launcher(cloud, sentences).launch(OPTIONS, SETTINGS, wait=False)
    assert (seen.state, cloud.requested_states) == ("RUNNING", [])
    assert sentences[-2:] == ["tinybeam (job-1) is PENDING", "tinybeam (job-1) is RUNNING"]


def test_a_second_launch_launches_nothing_and_says_what_replaces_a_job(cloud: GoogleCloud) -> None:
    launcher(cloud).launch(OPTIONS, SETTINGS, wait=False)
    with pytest.raises(NotLaunched, match=r"tinybeam is there already \(job-1, RUNNING\): `tinybeam pipeline update` replaces it"):
        launcher(cloud).launch(OPTIONS, SETTINGS, wait=False)
    assert len(cloud.jobs) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_watching_and_never_touches_the_job(cloud: GoogleCloud, number: int) -> None:
    sentences: list[str] = []
    cloud.on_look = lambda job: os.kill(os.getpid(), number) if job.states == ["RUNNING"] else None
    before = signal.getsignal(number)
    seen = launcher(cloud, sentences).launch(OPTIONS, SETTINGS, wait=True)
    assert (seen.ended, cloud.requested_states, signal.getsignal(number)) == (False, [], before)
    assert "asked to stop: the job is not touched" in sentences


def test_a_job_that_somebody_cancels_meanwhile_is_an_end_and_no_fault(cloud: GoogleCloud) -> None:
    cloud.states = ["RUNNING", "CANCELLING", "CANCELLED"]
    assert launcher(cloud).launch(OPTIONS, SETTINGS, wait=True).state == "CANCELLED"


def test_a_job_that_fails_is_told_with_what_dataflow_says_of_it(cloud: GoogleCloud) -> None:
    cloud.states, cloud.refuses = ["FAILED"], "the service account has no rights"
    with pytest.raises(NotLaunched, match=r"tinybeam \(job-1\) failed\nthe service account has no rights"):
        launcher(cloud).launch(OPTIONS, SETTINGS, wait=False)


def test_an_update_asks_first_and_replaces_then(cloud: GoogleCloud) -> None:
    launcher(cloud).launch(OPTIONS, SETTINGS, wait=False)
    seen = launcher(cloud).update(OPTIONS, SETTINGS, wait=False, dry_run=False)
    first, asked, second = cloud.jobs
    assert seen is not None
    assert (seen.id, seen.state, first.states) == (second.id, "RUNNING", ["UPDATED"])
    assert ["graph_validate_only" in job.service_options for job in cloud.jobs] == [False, True, False]
    assert asked.request["replaceJobId"] == second.request["replaceJobId"] == first.id


def test_a_dry_run_and_a_graph_that_can_replace_none_leave_the_job_alone(cloud: GoogleCloud) -> None:
    launcher(cloud).launch(OPTIONS, SETTINGS, wait=False)
    assert launcher(cloud).update(OPTIONS, SETTINGS, wait=False, dry_run=True) is None
    cloud.refuses = "the coder of step Gather differs"
    with pytest.raises(NotLaunched, match="this cannot replace job-1: the comparison is FAILED\nthe coder of step Gather differs"):
        launcher(cloud).update(OPTIONS, SETTINGS, wait=False, dry_run=False)
    assert cloud.jobs[0].states == ["RUNNING"]
    assert ["graph_validate_only" in job.service_options for job in cloud.jobs] == [False, True, True]


def test_somebody_who_stops_an_update_while_it_asks_stops_it(cloud: GoogleCloud) -> None:
    launcher(cloud).launch(OPTIONS, SETTINGS, wait=False)
    cloud.on_look = lambda job: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(NotLaunched, match="stopped before job-1 was replaced"):
        launcher(cloud).update(OPTIONS, SETTINGS, wait=False, dry_run=False)
    assert cloud.jobs[0].states == ["RUNNING"]


def test_an_update_of_no_job_says_so(cloud: GoogleCloud) -> None:
    with pytest.raises(NotLaunched, match="no job named tinybeam runs in europe-west1: `tinybeam pipeline launch` launches one"):
        launcher(cloud).update(OPTIONS, SETTINGS, wait=False, dry_run=False)
    assert cloud.jobs == []
