"""One launch and one update by Beam's own runner, against stand-ins on this machine: building a flow takes seconds, so tests share them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.dataflow.choices import job_options
from pipeline.dataflow.launch import Launcher
from pipeline.dataflow.settings import JobSettings
from pipeline.dataflow.submit import submit
from pipeline.io.dataflow_jobs import DataflowJobs
from schemas.records import Alert
from schemas.registry import FixedRegistry, Registry
from tests.notify.alerts import alert
from tests.pipeline.dataflow.google_cloud import GoogleCloud

REGISTRY = Path(__file__).parents[3] / "lab" / "world" / "registry.toml"
SETTINGS = JobSettings(project="my-project", region="europe-west1", name="tinybeam", image="eu/tinybeam:1", labels=(("app", "tinybeam"),))
FLAGS = [
    "--project=my-project",
    "--signature_keys=gs://my-bucket/pipeline.key",
    "--input_subscription=projects/my-project/subscriptions/s",
    "--temp_location=gs://my-bucket/tmp",
]


@pytest.fixture
def cloud() -> Iterator[GoogleCloud]:
    """Stand-ins of a test's own, for what needs no flow."""
    with GoogleCloud() as running:
        yield running


@pytest.fixture(scope="session")
def launched() -> Iterator[GoogleCloud]:
    """Job 1 was launched from sources, without any device; job 2 asked whether the same from an image, with devices, rules and open
    alerts, can replace it.
    """
    with pytest.MonkeyPatch.context() as environment, GoogleCloud() as cloud:
        for variable in ("BIGQUERY_EMULATOR_HOST", "BIGQUERY_STORAGE_EMULATOR_HOST"):
            environment.delenv(variable, raising=False)
        environment.setenv("STORAGE_EMULATOR_HOST", cloud.url)
        options = job_options([*FLAGS, f"--dataflow_endpoint={cloud.url}", "--no_auth"])
        jobs = DataflowJobs("my-project", "europe-west1", cloud.url)

        def launcher(registry: Registry, *known: Alert) -> Launcher:
            return Launcher(jobs=jobs, submit=lambda words: submit(words, FixedRegistry(registry), known), say=print, seconds=0.01)

        launcher(Registry((), ())).launch(options, replace(SETTINGS, image="", max_workers=3), wait=False)
        launcher(Registry.load(REGISTRY), alert(1), alert(2)).update(options, SETTINGS, wait=False, dry_run=True)
        yield cloud
