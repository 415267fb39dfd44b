"""The how-to pages, walked through as a reader would."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from google.cloud import bigquery

from lab.acts.analyst import empty
from lab.services.stack import Warehouse
from tests.walk import ROOT, walk
from tests.warehouses import APPLIED, passing_project

PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))
Environment = Mapping[str, str]
_LEFT_OUT = shutil.ignore_patterns(".*", "build", "__pycache__", "*.egg-info")


@pytest.fixture
def served(warehouse: Warehouse, emptied: bigquery.Client) -> Iterator[Environment]:
    """By which variables a page's commands find the warehouse, whose project of that name has its tables, and they are empty."""
    yield warehouse.environment
    empty(emptied)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of this repository, for pages that change it."""
    shutil.copytree(ROOT, tmp_path / "copy", ignore=_LEFT_OUT)
    for linked in (".venv", ".venv-warehouse"):
        if (ROOT / linked).exists():
            (tmp_path / "copy" / linked).symlink_to(ROOT / linked)
    return tmp_path / "copy"


def test_a_gateway_gets_into_google_by_its_certificate(tmp_path: Path) -> None:
    walk(ROOT / "docs/how-to/into-google-by-certificate.md", tmp_path, "how-to-federation", {})


def test_a_barn_gets_its_keys_from_nothing(tmp_path: Path) -> None:
    walk(ROOT / "docs/how-to/give-a-barn-its-keys.md", tmp_path, "how-to-keys", {})


def test_a_model_is_released_rolled_out_and_taken_back(tmp_path: Path) -> None:
    walk(ROOT / "docs/how-to/release-a-model.md", tmp_path, "how-to-release", {})


def test_the_first_steps_are_as_they_are_told(copy: Path) -> None:
    walk(ROOT / "docs/getting-started.md", copy, "getting-started", {})


def test_what_the_readme_tries_prints_what_it_shows() -> None:
    readme = (ROOT / "README.md").read_text()
    shown = r"^build/trial/bin/(tinybeam edge try .*?) \|.*?^```text\n(.*?)^```"
    [(command, printed)] = re.findall(shown, readme, re.MULTILINE | re.DOTALL)
    done = subprocess.run([sys.executable, "-m", *shlex.split(command)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line for line in done.stdout.splitlines() if line.startswith(("events", "rejects"))] == printed.splitlines()


def test_a_sensor_is_added(tmp_path: Path, served: Environment) -> None:
    walk(ROOT / "docs/how-to/add-a-sensor.md", tmp_path, APPLIED, served)


def test_an_own_payload_is_brought_in(tmp_path: Path) -> None:
    walk(ROOT / "docs/how-to/bring-your-own-payload.md", tmp_path, "how-to-payload", {})


def test_readings_are_posted(tmp_path: Path) -> None:
    walk(ROOT / "docs/how-to/post-readings-over-http.md", tmp_path, "how-to-http", {})


def test_a_gateway_is_looked_at(tmp_path: Path) -> None:
    walk(ROOT / "docs/how-to/look-at-a-gateway.md", tmp_path, "how-to-page", {})


def test_a_gateway_is_updated_before_its_pipeline(tmp_path: Path) -> None:
    walk(ROOT / "docs/how-to/update-in-either-order.md", tmp_path, "how-to-update", {})


def test_the_registry_is_changed(tmp_path: Path, served: Environment) -> None:
    walk(ROOT / "docs/how-to/change-the-registry.md", tmp_path, APPLIED, served)


def test_a_view_is_added(copy: Path, warehouse: Warehouse) -> None:
    with passing_project(warehouse, "how-to-view"):
        walk(ROOT / "docs/how-to/add-a-view.md", copy, "how-to-view", warehouse.environment)


def test_a_gateway_comes_to_sign(tmp_path: Path, served: Environment) -> None:
    walk(ROOT / "docs/how-to/sign-batches.md", tmp_path, APPLIED, served)


def test_the_field_comes_back_to_the_models(tmp_path: Path, served: Environment) -> None:
    walk(ROOT / "docs/how-to/learn-from-the-field.md", tmp_path, APPLIED, served)


def test_an_alert_is_added(tmp_path: Path, served: Environment) -> None:
    walk(ROOT / "docs/how-to/add-an-alert.md", tmp_path, APPLIED, served)


def test_a_source_of_alerts_is_added(copy: Path, served: Environment) -> None:
    walk(ROOT / "docs/how-to/add-an-alert-source.md", copy, APPLIED, served)


def test_a_model_is_added(tmp_path: Path, served: Environment) -> None:
    walk(ROOT / "docs/how-to/add-a-model.md", tmp_path, APPLIED, served)


def test_a_payload_format_is_added(copy: Path) -> None:
    walk(ROOT / "docs/how-to/add-a-payload-format.md", copy, "how-to-format", {})


def test_a_receiver_is_added(copy: Path) -> None:
    walk(ROOT / "docs/how-to/add-a-receiver.md", copy, "how-to-receiver", {})


def test_an_uplink_is_added(copy: Path) -> None:
    walk(ROOT / "docs/how-to/add-an-uplink.md", copy, "how-to-uplink", {})


def test_a_feature_is_added(copy: Path) -> None:
    walk(ROOT / "docs/how-to/add-a-feature.md", copy, "how-to-feature", {})


def test_an_archive_is_kept_and_the_tables_are_built_anew(tmp_path: Path, served: Environment, second_sql_project: bigquery.Client) -> None:
    empty(second_sql_project)
    walk(ROOT / "docs/how-to/keep-an-archive.md", tmp_path, APPLIED, served)
    empty(second_sql_project)


def test_the_first_row_arrives_by_way_of_dataflow(tmp_path: Path, served: Environment) -> None:
    walk(ROOT / "docs/how-to/first-row-on-dataflow.md", tmp_path, APPLIED, served)


def test_the_first_row_arrives_by_way_of_a_machine_of_ones_own(tmp_path: Path, served: Environment) -> None:
    walk(ROOT / "docs/how-to/first-row-on-your-own-machine.md", tmp_path, APPLIED, served)


def test_every_page_is_walked() -> None:
    """Commands that need a project of Google's stand in blocks of `bash`, which nobody walks: test_docs.py looks at their options."""
    walked = [page.name for page in PAGES if "\n```sh\n" in page.read_text()]
    assert len(walked) > 10
    assert [name for name in walked if f"docs/how-to/{name}" not in Path(__file__).read_text()] == []


def test_a_page_that_is_wrong_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\necho one; echo two\n```\n\n```text\ntwo\none\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md says 'one'"):
        walk(page, tmp_path, "p", {})
    page.write_text("```sh\nfalse\n```\n")
    with pytest.raises(AssertionError, match="status 1"):
        walk(page, tmp_path, "p", {})
