"""The images: linted, of the versions of the locks, with a health that is asked where it is told, and each with its bill of materials."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement

from deploy import sbom
from pipeline.prism import MODULE
from tests.deploy.dockerfiles import faults, stages
from tinybeam import main

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "deploy/images/Dockerfile"
LET_IN = IMAGES.with_name("Dockerfile.dockerignore").read_text()
AS_BEAM_STARTS_IT = [" runs as root", " does not say how its health is known"]
"""Of the image for Dataflow, whose workers Google's own program starts in Beam's image and watches."""


def test_nothing_is_wrong_with_the_images_for_machines_of_ones_own() -> None:
    assert list(faults(IMAGES.read_text(), LET_IN)) == []


def test_nothing_else_is_wrong_with_the_image_for_dataflow() -> None:
    text = (ROOT / "deploy/dataflow/Dockerfile").read_text().replace("FROM ${LAUNCHER} AS launcher", "FROM none AS launcher")
    ignore = (ROOT / "deploy/dataflow/Dockerfile.dockerignore").read_text()
    assert list(faults(text, ignore)) == AS_BEAM_STARTS_IT


@pytest.mark.parametrize(
    ("there", "instead", "fault"),
    [
        ("python:3.11.14-slim-bookworm", "python:3.11", "python:3.11 is not one exact version"),
        ("golang:1.26.8-bookworm", "golang:latest", "golang:latest is not one exact version"),
        ("USER 10001:10001", "USER root", "gateway runs as root"),
        ("USER 10001:10001\n", "", "notifier runs as root"),
        ("--require-hashes --requirement /locks/edge.txt", "--requirement /locks/edge.txt", "neither --require-hashes"),
        ("pip install --no-cache-dir --no-deps", "pip install --no-deps", "or with a cache"),
        ("COPY . /sources", "ADD . /sources", "ADD . /sources"),
        ("RUN python -m venv", "RUN curl x | sh && python -m venv", "fetches or does what no lock knows"),
        ("prism@v2.77.0", "prism@latest", "no version"),
        ("PYTHONUNBUFFERED=1", "GOOGLE_TOKEN=1", "holds a secret"),
        ("COPY requirements/edge.txt", "COPY requirements/lab.txt", ".dockerignore keeps it out"),
        ('CMD ["notify", "run", "--config", "/etc/tinybeam/notify.toml"]', "CMD notify run", "goes through a shell"),
        ("HEALTHCHECK NONE\nCMD", "CMD", "notifier does not say how its health is known"),
    ],
)
def test_a_fault_in_an_image_is_found(there: str, instead: str, fault: str) -> None:
    text = IMAGES.read_text()
    assert there in text
    assert any(fault in found for found in faults(text.replace(there, instead), LET_IN))


def test_every_room_that_is_packed_is_let_in() -> None:
    rooms = re.findall(r'"(\w+)\*"', (ROOT / "setup.py").read_text())
    wanted = [*rooms, "models", "setup.py", "tinybeam.py", "pyproject.toml", "README.md", "LICENSE"]
    assert len(rooms) > 8
    assert [room for room in wanted if f"!{room}" not in LET_IN.split()] == []
    assert [line for line in LET_IN.splitlines() if line.startswith("!") and not (ROOT / line[1:]).exists()] == []


def test_the_engine_is_of_the_version_of_beam_in_the_lock() -> None:
    [beam] = re.findall(r"^apache-beam==(\S+)", (ROOT / "requirements/worker.txt").read_text(), re.MULTILINE)
    assert f"{MODULE}@v{beam}" in IMAGES.read_text()
    assert "gcp" in (ROOT / "setup.py").read_text()


@pytest.mark.parametrize("name", ["edge.txt", "notify.txt"])
def test_a_lock_of_an_image_holds_the_versions_that_are_tested_and_no_beam(name: str) -> None:
    pinned = [set(re.findall(r"^(\S+==\S+)", (ROOT / "requirements" / one).read_text(), re.MULTILINE)) for one in (name, "lab.txt")]
    assert len(pinned[0]) > 20
    assert pinned[0] - pinned[1] == set()
    assert not any(pin.startswith(("apache-beam", "pyarrow", "pandas")) for pin in pinned[0])


def test_the_health_of_a_gateway_is_asked_where_the_example_tells_it() -> None:
    [gateway] = [stage for stage in stages(IMAGES.read_text()) if stage.name == "gateway"]
    [check] = gateway.of("HEALTHCHECK")
    settings = tomllib.loads((ROOT / "edge/gateway.example.toml").read_text())
    assert f"127.0.0.1:{settings['health']['port']}/healthz" in check
    assert compile(json.loads(check.partition("CMD ")[2])[2], "check", "exec")


@pytest.mark.parametrize("target", ["gateway", "notifier"])
def test_what_an_image_runs_is_a_command_of_ours(target: str) -> None:
    [stage] = [stage for stage in stages(IMAGES.read_text()) if stage.name == target]
    room, command, flag, _ = json.loads(stage.of("CMD")[0])
    asked = CliRunner().invoke(main, [room, command, "--help"])
    assert asked.exit_code == 0
    assert flag in asked.output


@pytest.mark.parametrize("name", sbom.IMAGES)
def test_a_bill_names_what_its_lock_installs(name: str) -> None:
    parts = {part["name"]: part for part in sbom.bill(name)["components"]}
    lock = (ROOT / sbom.IMAGES[name].lock).read_text()
    here = {
        "python_version": "3.11",
        "python_full_version": "3.11.14",
        "sys_platform": "linux",
        "platform_python_implementation": "CPython",
    }
    pinned = [Requirement(line) for line in re.findall(r"^(\S+==[^\\\n]+?) \\$", lock, re.MULTILINE)]
    wanted = {f"pkg:pypi/{one.name}@{str(one.specifier)[2:]}" for one in pinned if one.marker is None or one.marker.evaluate(here)}
    assert {part["purl"] for part in parts.values() if part["type"] == "library"} == wanted
    assert {"tinybeam", sbom.IMAGES[name].base} <= parts.keys()
    assert ("prism" in parts) == (name == "pipeline")
    assert parts[sbom.IMAGES[name].base]["version"][0].isdigit()


def test_a_bill_is_the_same_for_the_same_files_and_another_for_others(tmp_path: Path) -> None:
    assert sbom.bill("gateway") == sbom.bill("gateway")
    for name in ("deploy/images/Dockerfile", "requirements/edge.txt", "setup.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text().replace("paho-mqtt==2.", "paho-mqtt==3."))
    other = sbom.bill("gateway", tmp_path)
    assert other["serialNumber"] != sbom.bill("gateway")["serialNumber"]
    assert any(part.get("purl", "").startswith("pkg:pypi/paho-mqtt@3.") for part in other["components"])


def test_a_bill_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    assert sbom.main(["notifier", "--output", str(tmp_path / "bill.json")]) == 0
    written = json.loads((tmp_path / "bill.json").read_text())
    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.6")
    refs = [part["bom-ref"] for part in written["components"]]
    assert len(refs) == len(set(refs))
    assert written["dependencies"][0]["dependsOn"] == refs
