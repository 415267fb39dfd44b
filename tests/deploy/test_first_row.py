"""What the pages from nothing to the first row put into /etc/tinybeam is what our programs, Google's library and systemd take."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import hcl2
import pytest
from google.auth import identity_pool

from pipeline.options import parse
from schemas.datasets import SETTINGS
from tests.deploy.terraform import FARM, FOLDER, every_module
from tests.walk import Block, blocks

ROOT = Path(__file__).parents[2]
PAGES = {name: ROOT / "docs/how-to" / f"first-row-on-{name}.md" for name in ("dataflow", "your-own-machine")}


def titled(page: Path, title: str) -> str:
    return next(block.text for block in blocks(page, "my-project") if block.title == title)


def commands(page: Path, language: str) -> list[str]:
    text = "".join(block.text for block in blocks(page, "my-project") if block.language == language and not block.title)
    return [line.strip() for line in text.replace("\\\n", " ").splitlines()]


def test_the_services_flags_are_those_of_a_pipeline() -> None:
    lines = dict(line.split("=", 1) for line in titled(PAGES["your-own-machine"], "pipeline.env").splitlines())
    always = ["--runner=PrismRunner", f"--project={lines['TINYBEAM_PROJECT']}"]
    flags = shlex.split(lines["TINYBEAM_PIPELINE_FLAGS"])
    options = parse([*always, *flags])
    assert options.acknowledges_when_written
    assert options.beam == parse([*always, *(flag for flag in flags if "subscription" in flag or "signatures" in flag)]).beam, (
        "a flag that is not ours goes to Beam"
    )
    assert {name for name in lines if name not in {"TINYBEAM_PROJECT", "TINYBEAM_PIPELINE_FLAGS"}} <= {one.variable for one in SETTINGS}


def test_names_are_those_that_the_example_farm_makes() -> None:
    """Topics, subscriptions, buckets, datasets and the subnetwork, for the project my-project."""
    modules = every_module()
    topic = json.loads(modules["modules/messages"].variables["topic"]["default"])
    subscription = "tinybeam"
    assert f'tomap({{{subscription} = ""}})' in modules["modules/messages"].local["subscriptions"]
    views = json.loads(modules["modules/warehouse"].variables["views_dataset"]["default"])
    network = json.loads(modules["modules/network"].variables["name"]["default"])
    made = {
        f"topics/{topic}",
        f"topics/{topic}-alerts",
        f"subscriptions/{subscription}",
        f"subscriptions/{topic}-notify",
        f"subnetworks/{network}",
    }
    made |= {f"gs://my-project-tinybeam-{kind}" for kind in ("staging", "loads", "templates", "archive")}
    text = "".join(page.read_text() for page in PAGES.values())
    named = set(re.findall(r"(?:topics|subscriptions|subnetworks)/[\w-]+|gs://[\w-]+", text))
    assert named - made == set()
    assert set(re.findall(r"VIEWS_DATASET=(\w+)|--views_dataset[= ](\w+)", text)) <= {(views, ""), ("", views)}
    assert '"${var.project}-tinybeam"' in modules[FARM].calls["buckets"]["prefix"]


def test_outputs_that_are_asked_for_are_there() -> None:
    asked = {name for page in PAGES.values() for name in re.findall(r"tofu output (?:-raw |-json )?(\w+)", page.read_text())}
    assert asked >= {"credentials", "machine_credentials", "image"}
    assert asked <= every_module()[FARM].outputs.keys()


@pytest.mark.parametrize("name", PAGES)
def test_settings_that_are_named_are_variables_of_the_farm(name: str) -> None:
    named = re.findall(r"`(\w+) = [^`]+`", PAGES[name].read_text())
    known = every_module()[FARM].variables.keys() | every_module()["modules/messages"].variables.keys()
    assert [one for one in named if one not in known] == []
    assert named


@pytest.mark.parametrize(("name", "certificate"), [("dataflow", "gateway"), ("your-own-machine", "barn-server")])
def test_googles_library_reads_the_file_that_names_the_certificate(name: str, certificate: str, tmp_path: Path) -> None:
    """A program acts as its account: what Terraform writes for it, with this folder in the place of /etc/tinybeam."""
    trustme = pytest.importorskip("trustme", reason="trustme is not installed (pip install trustme)")
    own = trustme.CA().issue_cert("machine.example", common_name=certificate)
    own.private_key_pem.write_to_path(str(tmp_path / f"{certificate}.key"))
    own.cert_chain_pems[0].write_to_path(str(tmp_path / f"{certificate}.pem"))
    (tmp_path / "certificate.json").write_text(titled(PAGES[name], "certificate.json").replace("/etc/tinybeam", str(tmp_path)))
    (tmp_path / "google.json").write_text(json.dumps(program_credentials(tmp_path)))
    read = identity_pool.Credentials.from_file(str(tmp_path / "google.json"))  # as google.auth.default() does, which then asks the network
    assert read.service_account_email == "tinybeam-pipeline@my-project.iam.gserviceaccount.com"
    assert read._get_mtls_cert_and_key_paths() == (str(tmp_path / f"{certificate}.pem"), str(tmp_path / f"{certificate}.key"))


def program_credentials(folder: Path) -> dict[str, object]:
    from tests.deploy.test_terraform import credentials

    written = every_module()[FARM].outputs["machine_credentials"]["value"]
    [(key, url)] = re.findall(r'(service_account_impersonation_url) = "([^"]+)"', written)
    own = url.replace("${account.email}", "tinybeam-pipeline@my-project.iam.gserviceaccount.com")
    return {**credentials(every_module()["modules/identity"], folder), key: own}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (apt install systemd)")
@pytest.mark.parametrize(
    ("name", "title", "unit"),
    [
        ("dataflow", "certificate.conf", "tinybeam-gateway"),
        ("your-own-machine", "certificate.conf", "tinybeam-pipeline"),
        ("your-own-machine", "notify.conf", "tinybeam-notify"),
    ],
)
def test_systemd_takes_what_is_added_to_a_unit(name: str, title: str, unit: str, tmp_path: Path) -> None:
    service = (ROOT / f"deploy/systemd/{unit}.service").read_text()
    (tmp_path / f"{unit}.service").write_text(re.sub(r"/opt/tinybeam/bin/tinybeam", "/bin/true", service))
    (tmp_path / f"{unit}.service.d").mkdir()
    (tmp_path / f"{unit}.service.d" / title).write_text(titled(PAGES[name], title))
    verified = subprocess.run(["systemd-analyze", "verify", tmp_path / f"{unit}.service"], capture_output=True, text=True, check=False)
    assert [line for line in verified.stderr.splitlines() if unit in line or title in line] == []
    assert verified.returncode == 0


def test_files_that_are_installed_are_made_or_shown_before() -> None:
    for page in PAGES.values():
        shown = {block.title for block in blocks(page, "my-project") if block.title}
        made = set(re.findall(r"> ([\w.-]+)$", "\n".join(commands(page, "bash")), re.MULTILINE))
        made |= set(re.findall(r"-(?:out|keyout) \"?([\w.$-]+)", page.read_text()))
        if any("$file" in name for name in made):
            made |= {f"{machine}.{ending}" for machine in ("gateway-1", "barn-server") for ending in ("pem", "key")}
        for line in commands(page, "bash"):
            if line.startswith("sudo install") and " -d " not in line and "deploy/systemd" not in line:
                files = [word for word in shlex.split(line)[2:-1] if "." in word and "/" not in word]
                assert files
                assert [name for name in files if name not in shown | made] == []


def test_the_example_is_copied_from_where_it_is() -> None:
    for page in PAGES.values():
        assert f"cd deploy/terraform/{FARM}" in commands(page, "bash")
    assert hcl2.loads((FOLDER / FARM / "terraform.tfvars.example").read_text())["authorities"] == ['"ca.pem"']


def test_a_block_is_found_by_its_title() -> None:
    assert Block("ini", "certificate.conf", titled(PAGES["dataflow"], "certificate.conf")).text.startswith("[Service]\n")
