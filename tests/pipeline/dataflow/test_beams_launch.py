"""What Beam's own runner asks Dataflow and Cloud Storage for, by stand-ins on this machine."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path

from apache_beam.portability.api import beam_runner_api_pb2
from google.cloud.dataflow_v1beta3 import Job

from tests.pipeline.dataflow.google_cloud import GoogleCloud, LaunchedJob


def asked_for(job: LaunchedJob) -> Job:
    return Job.from_json(json.dumps(job.request), ignore_unknown_fields=True)


def test_a_job_is_launched_with_all_that_was_chosen(launched: GoogleCloud) -> None:
    job = asked_for(launched.jobs[0])
    environment, pool = job.environment, job.environment.worker_pools[0]
    assert (job.name, job.type_.name, job.labels) == ("tinybeam", "JOB_TYPE_STREAMING", {"app": "tinybeam"})
    assert set(environment.service_options) == {"streaming_mode_at_least_once", "min_num_workers=1"}
    assert {"enable_streaming_engine", "enable_windmill_service"} <= set(environment.experiments)
    assert environment.service_account_email == "tinybeam-pipeline@my-project.iam.gserviceaccount.com"
    assert (pool.machine_type, pool.num_workers, pool.ip_configuration.name) == ("n1-standard-2", 1, "WORKER_IP_PRIVATE")
    assert (pool.autoscaling_settings.algorithm.name, pool.autoscaling_settings.max_num_workers) == ("AUTOSCALING_ALGORITHM_BASIC", 3)


def test_workers_get_the_sources_and_the_floors_of_what_they_need(launched: GoogleCloud) -> None:
    files = launched.staged(launched.jobs[0])
    assert {"pyarrow>=18", "msgspec>=0.19", "google-cloud-bigquery-storage>=2.30"} <= set(files["requirements.txt"].decode().split())
    [wheel] = [name for name in files if name.endswith(".whl")]
    with zipfile.ZipFile(BytesIO(files[wheel])) as sources:
        assert {"pipeline/flow.py", "pipeline/dataflow/launch.py", "schemas/dictionary/1.3.zdict"} <= set(sources.namelist())
    assert files["extra_packages.txt"].decode().split() == [wheel]
    assert "2.77" in asked_for(launched.jobs[0]).environment.worker_pools[0].worker_harness_container_image


def test_workers_of_an_image_get_the_graph_alone(launched: GoogleCloud) -> None:
    assert set(launched.staged(launched.jobs[1])) == {"pipeline.pb", "submission_environment_dependencies.txt"}
    assert asked_for(launched.jobs[1]).environment.worker_pools[0].worker_harness_container_image == "eu/tinybeam:1"


def test_an_update_names_the_job_that_it_asks_to_replace(launched: GoogleCloud) -> None:
    first, asked = launched.jobs
    assert (asked.request["replaceJobId"], "graph_validate_only" in asked.service_options) == (first.id, True)
    assert "graph_validate_only" not in first.service_options


def test_nothing_of_this_machine_is_part_of_the_graph(launched: GoogleCloud) -> None:
    graph = launched.staged(launched.jobs[1])["pipeline.pb"]
    assert beam_runner_api_pb2.Pipeline.FromString(graph).components.transforms
    assert [word for word in (b"127.0.0.1", str(Path.cwd()).encode(), b"__main__") if word in graph] == []
