"""The Flex template: what its parameters are called is what the pipeline reads, and its image holds what the pipeline asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from google.cloud.dataflow_v1beta3.types import TemplateMetadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.dataflow import worker
from pipeline.dataflow.template import template_options
from pipeline.flags import UsageError
from tests.pipeline.dataflow.conftest import FLAGS

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "dataflow"
METADATA = TemplateMetadata.from_json((FOLDER / "metadata.json").read_text())
VALUES = {
    "inputSubscription": "projects/p/subscriptions/s",
    "alerts_topic": "projects/p/topics/t",
    "dataset": "farm",
    "views_dataset": "farm_views",
    "table_prefix": "north_",
    "registry": "gs://b/registry.toml",
    "registry_refresh": "30s",
    "archive": "gs://b/archive",
    "archive_every": "2h",
    "early_seconds": "30",
    "allowedLateness": "3d",
    "signature_keys": "secret:projects/p/secrets/s/versions/1",
    "require_signatures": "warn",
    "log_level": "debug",
}
OF_LAUNCHER = [
    "--runner=DataflowRunner",
    "--project=p",
    "--temp_location=gs://b/tmp",
    "--job_name=j",
    "--region=r",
    "--template_location=gs://b/t",
]


def test_every_parameter_is_a_flag_and_takes_what_it_says() -> None:
    assert VALUES.keys() == {parameter.name for parameter in METADATA.parameters}
    assert [one.name for one in METADATA.parameters if not all(re.match(form, VALUES[one.name]) for form in one.regexes)] == []
    options = template_options([*OF_LAUNCHER, *(f"--{name}={value}" for name, value in VALUES.items())], {})
    assert [word for word in options.beam if word.partition("=")[0][2:] in VALUES] == []
    assert (options.warehouse.datasets.tables, options.archive, options.log_level) == ("farm", "gs://b/archive", "debug")


@pytest.mark.parametrize("left_out", ["inputSubscription"])
def test_what_is_not_optional_is_asked_for(left_out: str) -> None:
    assert {one.name for one in METADATA.parameters if not one.is_optional} == {left_out}
    with pytest.raises(UsageError, match="input_subscription"):
        template_options(OF_LAUNCHER, {})


def test_workers_run_the_image_of_the_template_unless_another_is_named() -> None:
    image = {"TINYBEAM_IMAGE": "eu/tinybeam:1"}
    assert template_options(FLAGS, image).beam[-2:] == ("--sdk_container_image=eu/tinybeam:1", "--sdk_location=container")
    assert [word for word in template_options([*FLAGS, "--sdk_container_image=mine"], image).beam if "sdk_" in word] == [
        "--sdk_container_image=mine"
    ]


def test_the_lock_of_the_image_holds_what_workers_need_in_the_versions_that_are_tested() -> None:
    versions = [
        dict(re.findall(r"^(\S+)==(\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE)) for name in ("worker.txt", "lab.txt")
    ]
    wanted = [Requirement(line) for line in worker.requirements()]
    assert [str(one) for one in wanted if versions[0].get(canonicalize_name(one.name), "none") not in one.specifier] == []
    assert {name: version for name, version in versions[0].items() if versions[1].get(name) != version} == {}


def test_the_image_takes_files_that_are_there_and_beam_of_the_lock() -> None:
    text = (FOLDER / "Dockerfile").read_text()
    [beam] = re.findall(r"^apache-beam(?:\[gcp\])?==(\S+)", (ROOT / "requirements" / "worker.txt").read_text(), re.MULTILINE)
    assert set(re.findall(r"beam_python3\.11_sdk:(\S+)", text)) == {beam}
    taken = [line for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")]
    assert [line for line in taken if not (ROOT / line[1:]).exists()] == []
    rooms = re.findall(r'"(\w+)\*"', (ROOT / "setup.py").read_text())
    assert len(rooms) > 8
    assert [room for room in (*rooms, "models") if f"!{room}" not in taken] == []
    copied = re.findall(r"^COPY (?!--from|\.)(\S+)", text, re.MULTILINE)
    assert copied
    assert [name for name in copied if f"!{name}" not in taken] == []
