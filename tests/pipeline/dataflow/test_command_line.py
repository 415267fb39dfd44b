"""`tinybeam pipeline launch` as it is called: from its flags to the request that Dataflow gets. Google is on this machine, and the program
does not know.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from apache_beam.portability.api import beam_runner_api_pb2
from google.cloud import bigquery
from google.cloud.dataflow_v1beta3 import Job

from lab.services.stack import Warehouse
from tests.pipeline.dataflow.google_cloud import GoogleCloud
from tests.pipeline.dataflow.google_hosts import google_hosts
from tests.pipeline.dataflow.graph import GOLDEN
from tests.preloaded import preloaded
from tests.waiting import eventually

COMMAND = ["tinybeam", "pipeline", "launch", "--wait"]
LAUNCH = [
    "--region=europe-west1",
    "--input_subscription=projects/my-project/subscriptions/s",
    "--signature_keys=gs://my-bucket/pipeline.key",
    "--temp_location=gs://my-bucket/tmp",
    "--image=eu/tinybeam:1",
    "--max_workers=2",
    "--labels=farm=north",
    "--alerts_topic=projects/my-project/topics/alerts",
    "--no_auth",
]
SECONDS = 120.0


@pytest.fixture
def google(warehouse: Warehouse, emptied: bigquery.Client, cloud: GoogleCloud, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a program that reaches BigQuery, which is the local warehouse, and gets access tokens."""
    ports = [urllib.parse.urlsplit(url).port or 0 for url in (warehouse.rest_url, cloud.url)]
    with google_hosts(tmp_path, dict(zip(("bigquery.googleapis.com", "oauth2.googleapis.com"), ports, strict=True))) as environment:
        here = {name: value for name, value in os.environ.items() if not name.startswith(("BIGQUERY_", "GOOGLE_"))}
        yield {**here, **environment, "STORAGE_EMULATOR_HOST": cloud.url}


def test_a_launch_asks_dataflow_for_what_its_flags_say_and_sigterm_leaves_the_job_alone(
    cloud: GoogleCloud, google: dict[str, str], emptied: bigquery.Client
) -> None:
    flags = [f"--project={emptied.project}", f"--dataflow_endpoint={cloud.url}", *LAUNCH]
    command = [*preloaded(), *COMMAND, *flags]
    with subprocess.Popen(command, env=google, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as launcher:
        assert eventually(lambda: bool(cloud.jobs) or launcher.poll() is not None, SECONDS)
        assert eventually(lambda: cloud.jobs[0].states == ["RUNNING"] or launcher.poll() is not None, SECONDS)
        launcher.send_signal(signal.SIGTERM)
        output, errors = launcher.communicate(timeout=SECONDS)
    assert (launcher.returncode, "the job is not touched" in errors) == (0, True), errors[-3000:]
    assert (cloud.requested_states, cloud.jobs[0].states) == ([], ["RUNNING"])
    assert output.splitlines()[0].startswith("tinybeam (job-1) is ")

    asked = Job.from_json(json.dumps(cloud.jobs[0].request), ignore_unknown_fields=True)
    pool = asked.environment.worker_pools[0]
    assert (asked.name, asked.labels["farm"], asked.labels["app"]) == ("tinybeam", "north", "tinybeam")
    assert (pool.worker_harness_container_image, pool.autoscaling_settings.max_num_workers) == ("eu/tinybeam:1", 2)
    assert "streaming_mode_at_least_once" in asked.environment.service_options
    options = cloud.jobs[0].request["environment"]["sdkPipelineOptions"]["options"]
    assert (options["project"], options["region"], options["streaming"]) == (emptied.project, "europe-west1", True)
    graph = beam_runner_api_pb2.Pipeline.FromString(cloud.staged(cloud.jobs[0])["pipeline.pb"]).components
    steps = {step.unique_name for step in graph.transforms.values()}
    assert {line.partition(" | ")[0] for line in GOLDEN.read_text().splitlines()} <= steps
    assert any(name.startswith("Publish/") for name in steps)
