"""tofu itself plans the example farm, with a stand-in for Google's provider: expressions are evaluated, validations asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from schemas.records import TABLES
from sql.scripts import scripts
from tests.deploy.policies import PROVIDER
from tests.deploy.stand_in import stand_in
from tests.deploy.terraform import FARM, FOLDER, TOFU

pytestmark = pytest.mark.skipif(TOFU is None, reason="tofu is not on PATH nor in Go's folder")


@dataclass(frozen=True)
class Farm:
    """A copy of the example, as somebody would change it, that tofu plans."""

    folder: Path
    environment: dict[str, str]

    def tofu(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(TOFU), *words], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False)

    def plan(self, *variables: str) -> subprocess.CompletedProcess[str]:
        return self.tofu("plan", "-no-color", "-input=false", "-lock=false", "-out=plan", *(f"-var={one}" for one in variables))

    def planned(self, *variables: str) -> dict[str, dict[str, Any]]:
        """Values by address."""
        done = self.plan(*variables)
        assert done.returncode == 0, done.stderr
        changes = json.loads(self.tofu("show", "-json", "plan").stdout)["resource_changes"]
        return {one["address"]: one["change"]["after"] for one in changes if one["mode"] == "managed"}


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    trustme = pytest.importorskip("trustme", reason="trustme is not installed (pip install trustme)")
    with tempfile.TemporaryDirectory(prefix="tofu") as folder, stand_in(Path(folder)) as found:
        copy = Path(shutil.copytree(FOLDER, Path(folder) / "terraform")) / FARM
        shutil.copy(copy / "terraform.tfvars.example", copy / "terraform.tfvars")
        trustme.CA().cert_pem.write_to_path(str(copy / "ca.pem"))
        own = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        here = Farm(copy, own | found | {"CHECKPOINT_DISABLE": "1"})
        prepared = here.tofu("init", "-no-color", "-input=false")
        assert prepared.returncode == 0, prepared.stderr
        yield here


def test_a_farm_on_dataflow(farm: Farm) -> None:
    values = farm.planned("template=gs://my-project-tinybeam-templates/tinybeam.json")
    names = {
        (address.rpartition(".")[0].rpartition(".")[2], one.get("table_id") or one.get("routine_id")) for address, one in values.items()
    }
    assert {name for kind, name in names if kind == "google_bigquery_table"} >= {table.name for table in TABLES.values()}
    assert {name for _, name in names} >= {script.name for script in scripts("views", "functions")}
    job = values["module.job[0].google_dataflow_flex_template_job.pipeline"]
    assert job["parameters"]["archive"] == "gs://my-project-tinybeam-archive/batches"
    assert values['module.messages.google_pubsub_subscription.pipeline["tinybeam"]']["dead_letter_policy"] == []
    assert len(values) > 190
    texts = [json.dumps(one) for one in values.values()]
    assert not any("{{" in text for text in texts)
    assert sum("tinybeam.summaries_v1" in text for text in texts) >= 2
    assert any("tinybeam_views.counted_summaries(" in text for text in texts)


def test_a_farm_on_a_machine_of_ones_own(farm: Farm) -> None:
    values = farm.planned("engine=own", 'machines={barn-server=["pipeline", "notifier"]}', "billing_account=012345-6789AB-CDEF01")
    assert [one["filter"] for address, one in values.items() if "subscription.pipeline" in address] == [""]
    assert not any(f".google_{service}_" in address for address in values for service in ("dataflow", "compute", "artifact_registry"))
    assert (
        values['module.messages.google_pubsub_subscription.pipeline["tinybeam"]']["dead_letter_policy"][0]["max_delivery_attempts"] == 100
    )
    acting = {address.partition("machine[")[2] for address in values if "member.machine[" in address}
    assert acting == {'"barn-server pipeline"]', '"barn-server notifier"]'}
    assert "module.budget[0].google_billing_budget.month" in values


def test_every_message_goes_to_one_shard_or_to_the_rest(farm: Farm) -> None:
    values = farm.planned("engine=own", 'shards=["1", "2"]')
    filters = {one["name"]: one["filter"] for address, one in values.items() if "subscription.pipeline" in address}
    assert filters == {
        "tinybeam-1": 'attributes.shard = "1"',
        "tinybeam-2": 'attributes.shard = "2"',
        "tinybeam-rest": "NOT attributes:shard",
    }


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("engine=laptop", "engine: dataflow or own."),
        ('shards=["1"]', "Dataflow shares the work by itself"),
        ('analysts=["allUsers"]', "and never everybody."),
        ('revoked=["0f:4c"]', "without colons"),
    ],
)
def test_a_likely_mistake_is_said_before_anything_is_made(farm: Farm, variable: str, sentence: str) -> None:
    done = farm.plan(variable)
    assert done.returncode == 1
    assert sentence in " ".join(done.stderr.split())


def test_the_stand_in_refuses_what_the_provider_does_not_know(farm: Farm) -> None:
    assert "topic" in PROVIDER["google_pubsub_subscription"]
    wrong = farm.folder / "wrong.tf"
    wrong.write_text('resource "google_pubsub_subscription" "x" {\n  name = "x"\n  topics = "y"\n}\n')
    done = farm.tofu("validate", "-no-color")
    wrong.unlink()
    assert done.returncode == 1
    assert 'An argument named "topics" is not expected here' in done.stderr
    assert 'The argument "topic" is required' in done.stderr
