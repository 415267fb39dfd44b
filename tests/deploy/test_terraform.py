"""The Terraform modules: every policy holds, every role has its reason, and what they name elsewhere is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path

import hcl2
import pytest
from google.auth import identity_pool
from google.cloud.dataflow_v1beta3.types import TemplateMetadata

from edge.uplink import access_child
from pipeline.counts import METRICS
from pipeline.io import late_appends
from schemas.records import TABLES
from tests.deploy.policies import POLICIES, Modules
from tests.deploy.terraform import FARM, FOLDER, TOFU, Module, add, bare, every_module, texts

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_a_policy_holds_everywhere(policy: Callable[[Modules], Iterator[str]]) -> None:
    assert list(policy(every_module())) == []


def test_there_is_something_to_look_at() -> None:
    modules = every_module()
    assert len(modules) >= 14
    assert sum(len(module.resources) for module in modules.values()) >= 70
    assert len(modules[FARM].calls) >= 11


FAULTS = [
    (
        "modules/messages",
        'resource "google_pubsub_topic" "extra" {\n  project = var.project\n  name = "x"\n  labels = var.labels\n}',
        ["google_pubsub_topic.extra takes no key of one's own"],
    ),
    ("modules/messages", 'variable "extra" {\n  type = string\n  default = ""\n}', ["extra is not described", "var.extra is not used"]),
    (
        "modules/messages",
        'variable "extra" {\n  description = "Something or other."\n  default = 1\n}',
        ["extra has no type", "var.extra is not used"],
    ),
    (
        "modules/network",
        'locals {\n  extra = "${var.nobody}-${local.nothing}"\n}',
        ["local.extra is not used", "local.nothing", "var.nobody"],
    ),
    (
        "modules/budget",
        'output "extra" {\n  description = "Something or other."\n  value = google_x.y.id\n}',
        ["google_x.y", "asked for by nobody"],
    ),
    (
        FARM,
        'module "again" {\n  source = "../../modules/images"\n  colour = "red"\n}',
        ["colour, which", "not give labels", "give project", "give region"],
    ),
    (
        FARM,
        'output "extra" {\n  description = "Something or other."\n  value = module.accounts.owner\n}',
        ["module.accounts.owner is declared nowhere"],
    ),
    (
        "modules/messages",
        'resource "google_pubsub_subscription" "extra" {\n  name = "x"\n  topics = "y"\n  retry_policy {\n    maximum = 1\n  }\n}',
        ["has topics, which", "lacks topic", "retry_policy has maximum", "has no labels", "extra expires", "no retention"],
    ),
    (
        "modules/messages",
        'resource "google_pubsub_topic" "extra" {\n  name = "x"\n  labels = var.labels\n  schema_settings {\n    schema = "s"\n  }\n}',
        ["topic extra has a schema", "takes no key of one's own"],
    ),
    (
        "modules/buckets",
        'resource "google_storage_bucket" "extra" {\n  name = "x"\n  location = "EU"\n  labels = var.labels\n  force_destroy = true\n}',
        ["access by object", "made public", "no rule of life", "its objects with it", "takes no key of one's own"],
    ),
    (
        "modules/network",
        'output "extra" {\n  description = "Something or other."\n  value = google_compute_network.workers.colour\n}',
        ["reads colour of google_compute_network.workers", "asked for by nobody"],
    ),
    (
        "modules/access",
        'resource "google_service_account_key" "extra" {\n  service_account_id = "x"\n}',
        ["is a key of a service account", "of a kind that provider.json lacks"],
    ),
    (
        "modules/access",
        'resource "google_project_iam_member" "extra" {\n  project = "p"\n  role = "roles/editor"\n  member = "allUsers"\n}',
        ["grants a basic role", "to everybody"],
    ),
    (
        "modules/access",
        'resource "google_bigquery_dataset_iam_member" "extra" {\n  dataset_id = "d"\n  role = "roles/a.b"\n  member = "user:x"\n}',
        ["takes the views' right to read tables away", "of a kind that provider.json lacks"],
    ),
    (
        "modules/access",
        'resource "google_pubsub_topic_iam_binding" "extra" {\n  topic = "t"\n  role = "roles/pubsub.publisher"\n  members = []\n}',
        ["replaces what others were given", "of a kind that provider.json lacks"],
    ),
    (
        "modules/access",
        'resource "google_project_iam_member" "extra" {\n  project = "p"\n  role = var.topic\n  member = "${var.site}/north"\n}',
        ["by an expression", "a certificate more than it may"],
    ),
]


@pytest.mark.parametrize(("name", "text", "expected"), FAULTS, ids=[re.sub(r"\W+", "-", expected[0]) for *_, expected in FAULTS])
def test_a_fault_is_found(name: str, text: str, expected: list[str]) -> None:
    modules = dict(every_module())
    modules[name] = deepcopy(modules[name])
    add(modules[name], text)
    found = [fault for policy in POLICIES for fault in policy(modules)]
    assert [words for words in expected if not any(words in fault for fault in found)] == []
    assert [fault for fault in found if not any(words in fault for words in expected)] == []


@pytest.mark.parametrize("address", ["google_pubsub_subscription.pipeline", "google_pubsub_topic.telemetry"])
def test_what_may_be_destroyed_is_found(address: str) -> None:
    modules = dict(every_module())
    modules["modules/messages"] = deepcopy(modules["modules/messages"])
    del modules["modules/messages"].resources[address]["lifecycle"]
    assert [fault for policy in POLICIES for fault in policy(modules)] == [f"modules/messages {address} may be destroyed"]


def granted(modules: Modules) -> set[tuple[str, str]]:
    """(resource without google_ and _iam_member, role) of every grant."""
    return {
        (address.removeprefix("google_").replace("_iam_member.", "."), bare(body["role"]))
        for module in modules.values()
        for address, body in module.resources.items()
        if "_iam_member." in address or "role" in body
    }


def listed(text: str) -> dict[tuple[str, str], list[str]]:
    """Rows of the list, by resource and role: who, on what, why."""
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    return {(address, role): [who, where, why] for address, who, role, where, why in rows}


def test_every_role_that_is_granted_is_in_the_list_with_its_reason_and_the_other_way_round() -> None:
    text = (FOLDER / "ROLES.md").read_text()
    rows = listed(text)
    assert rows.keys() == granted(every_module())
    assert len(rows) == text.count("| `roles/") >= 28
    assert [address for (address, _), words in rows.items() if min(map(len, words)) < 5] == []


def test_a_role_that_is_not_in_the_list_is_seen() -> None:
    text = (FOLDER / "ROLES.md").read_text()
    assert listed(text.replace("roles/dataflow.worker", "roles/dataflow.admin")).keys() != granted(every_module())


def test_the_job_has_parameters_that_the_template_knows() -> None:
    metadata = TemplateMetadata.from_json((ROOT / "deploy/dataflow/metadata.json").read_text())
    job = every_module()["modules/job"].resources["google_dataflow_flex_template_job.pipeline"]
    given = set(re.findall(r"(\w+) = (?!=)", job["parameters"]))
    assert given - {parameter.name for parameter in metadata.parameters} == set()
    assert {parameter.name for parameter in metadata.parameters if not parameter.is_optional} <= given
    assert "table_prefix" in given
    [keys] = re.findall(r'signature_keys *= "([^"]+)"', job["parameters"])
    [form] = next(parameter.regexes for parameter in metadata.parameters if parameter.name == "signature_keys")
    assert re.fullmatch(form, keys.replace("${var.pipeline_key}", "projects/p/secrets/tinybeam-pipeline-key"))


def test_alerts_and_charts_look_at_metrics_that_are_there() -> None:
    monitoring = every_module()["modules/monitoring"]
    named = {
        name
        for text in texts([monitoring.resources, monitoring.local])
        for name in re.findall(r'(?:local\.counter\}|name = ")=~?\\"([a-z0-9_/]+)', text)
    }
    assert named >= {"batches", "rejects/", "late_appends/", "rows/heartbeats_v1"}
    forms = [re.sub(r"(?<=/)[A-Z]+$", r"\\w*", name) for name in METRICS]
    assert [name for name in sorted(named) if not any(re.fullmatch(form, name) for form in forms)] == []
    assert {name.removeprefix("rows/") for name in named if name.startswith("rows/")} <= {table.name for table in TABLES.values()}


def test_the_log_is_searched_for_what_the_pipeline_writes(caplog: pytest.LogCaptureFixture) -> None:
    metric = every_module()["modules/monitoring"].resources["google_logging_metric.late_appends"]
    late = late_appends.LateAppends(lambda table: None)
    for now in (0.0, late_appends.LATE_SECONDS):
        late.failed("alerts_v1", "denied", now)
    [phrase] = re.findall(r'AND \\"([^"\\]+)\\"', metric["filter"])
    [pattern] = re.findall(r', \\"(.+)\\"\)', metric["label_extractors"]["table"])
    assert phrase in caplog.text
    assert re.findall(pattern, caplog.text) == ["alerts_v1"]


def test_the_example_gives_what_a_farm_needs_and_nothing_else() -> None:
    text = (FOLDER / FARM / "terraform.tfvars.example").read_text()
    variables = every_module()[FARM].variables
    given = {name for name in hcl2.loads(text) if not name.startswith("__")}
    assert given == {name for name, body in variables.items() if "default" not in body} | {"analysts", "launchers"}
    commented = hcl2.loads(re.sub(r"(?m)^# (?=\w+ +=)", "", text))
    assert {name for name in commented if not name.startswith("__")} == variables.keys()


def test_a_gateway_takes_the_credentials_that_terraform_writes(tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme", reason="trustme is not installed (pip install trustme)")
    certificate = trustme.CA().issue_cert("gateway-1.example", common_name="gateway-1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "gateway.pem"))
    paths = {"cert_path": str(tmp_path / "gateway.pem"), "key_path": str(tmp_path / "gateway.pem")}
    (tmp_path / "certificate.json").write_text(json.dumps({"cert_configs": {"workload": paths}}))
    written = credentials(every_module()["modules/identity"], tmp_path)
    (tmp_path / "google.json").write_text(json.dumps(written))
    read = access_child.load(tmp_path / "google.json")
    assert isinstance(read, identity_pool.Credentials)
    assert read._audience == "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/tinybeam/providers/certificates"


def credentials(identity: Module, folder: Path) -> Mapping[str, object]:
    """What the output is, with a name in the place of the provider's and this folder in that of /etc/tinybeam."""
    inside = re.fullmatch(r"\$\{jsonencode\((\{.*\})\)\}", identity.outputs["credentials"]["value"], re.DOTALL)
    assert inside
    provider = "projects/1/locations/global/workloadIdentityPools/tinybeam/providers/certificates"
    text = re.sub(r"\$\{google_[^}]+\}", provider, inside[1]).replace("/etc/tinybeam", str(folder))
    return unquoted(hcl2.loads(f"value = {text}\n")["value"])


def unquoted(value: Mapping[str, object]) -> dict[str, object]:
    return {
        name: unquoted(part) if isinstance(part, Mapping) else bare(str(part)) for name, part in value.items() if not name.startswith("__")
    }


@pytest.mark.skipif(TOFU is None, reason="tofu is not on PATH nor in Go's folder")
def test_tofu_reads_every_file_and_would_write_it_so() -> None:
    assert unlike_tofus(FOLDER) == ("", "", 0)


@pytest.mark.skipif(TOFU is None, reason="tofu is not on PATH nor in Go's folder")
def test_tofu_finds_what_it_cannot_read_and_what_it_would_write_otherwise(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("locals {\n  a   = 1\n}\n")
    assert unlike_tofus(tmp_path)[0] == "main.tf\n"
    (tmp_path / "main.tf").write_text("locals {\n  a = \n}\n")
    assert "Invalid expression" in unlike_tofus(tmp_path)[1]


def unlike_tofus(folder: Path) -> tuple[str, str, int]:
    """What tofu would write otherwise, what it cannot read, and its exit status."""
    command = [str(TOFU), "fmt", "-check", "-recursive", "-list=true", "-no-color", "."]
    own = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    formatted = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=False)
    return formatted.stdout, formatted.stderr, formatted.returncode


def test_dataflow_gets_no_dead_letters_and_a_machine_of_ones_own_does() -> None:
    """Google: Dataflow does not support dead-letter topics."""
    farm = every_module()[FARM]
    assert farm.calls["messages"]["delivery_attempts"] == "${local.dataflow ? null : 100}"
    assert farm.local["dataflow"] == '${var.engine == "dataflow"}'
