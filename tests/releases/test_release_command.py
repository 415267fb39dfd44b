"""`tinybeam release`: what three people type, from nothing to all gateways, and back; exit codes, and one line for a mistake."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from releases import rollouts
from releases.client import Client
from releases.command import cli
from releases.error import ReleaseError
from releases.repository import Repository
from releases.rollout import Group, Release, Rollout
from releases.source import Source

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def release(line: str, typed: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, line.split(), input=typed, prog_name="tinybeam release")
    return result.exit_code, result.stdout, result.stderr


def done(line: str, typed: str = "", status: int = 0) -> str:
    found, output, error = release(line, typed)
    assert found == status, error
    return output


def signed() -> None:
    """A first release of a bundle that no gate judges here, signed by two."""
    done("init --holder ada --holder ben --holder eva")
    released()


def released() -> None:
    done("add bundle")
    done("sign --key releases/holders/ada/releases.key")
    done("sign --key releases/holders/eva/releases.key")


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle, on a machine without training."""
    monkeypatch.setattr("releases.bundle_files.find_spec", lambda name: None)
    shutil.copytree(MODELS / "soil", "bundle")
    return Path("bundle")


def client() -> tuple[Client, list[Rollout]]:
    reader = Client(Source("site"), Path("kept"), Path("releases/published/metadata/1.root.json"), Path("seen.json"))
    return reader, reader.refresh(datetime.now(UTC))


def test_a_release_goes_from_a_bundle_to_all_gateways_and_back(bundle: Path, tmp_path: Path) -> None:
    signed()
    assert "soil: release 1 on 5 % of the gateways, the others their own bundle" in done("roll-out soil 1")
    done("publish site")
    reader, (rollout,) = client()
    reader.fetch(Release("soil", 1), Path("staged"))
    assert {file.name: file.read_bytes() for file in Path("staged").iterdir()} == {
        file.name: file.read_bytes() for file in bundle.iterdir() if file.is_file() and not file.name.startswith("_")
    }
    assert (rollout.share, rollout.previous) == (5, None)
    done("roll-out soil 1 --share 100")
    released()
    assert "soil: release 2 on 5 % of the gateways, the others release 1" in done("roll-out soil 2")
    assert "release 2 is halted (noisy); all run release 1" in done("halt soil --reason noisy")
    assert "release 1 on 100 %" in done("roll-back soil")
    done("publish site")
    _, (rollout,) = client()
    assert (rollout.release_of("gateway-1"), [one.action for one in rollout.decisions]) == (1, ["roll-out", "halt", "roll-back"])


def test_a_release_is_fetched_as_it_was_signed_or_not_at_all(bundle: Path) -> None:
    signed()
    done("roll-out soil 1")
    done("publish site")
    done("fetch site soil 1 staged --root releases/published/metadata/1.root.json")
    assert Path("staged/model.tflite").read_bytes() == (bundle / "model.tflite").read_bytes()
    for file in Path("site").rglob("*model.tflite"):
        file.write_bytes(b"another")
    status, _, error = release("fetch site soil 1 again --root releases/published/metadata/1.root.json")
    assert (status, "site is not trusted" in error) == (2, True)


def test_a_publication_that_ends_before_the_last_one_asks_for_the_clock(bundle: Path) -> None:
    signed()
    Path("releases/releases.toml").write_text("timestamp_days = 60\n")
    assert release("publish site")[2] == ""
    Path("releases/releases.toml").write_text("timestamp_days = 7\n")
    status, _, error = release("publish site")
    assert (status, "which is longer: is the clock here right?" in error) == (0, True)


def test_a_rollout_that_knows_its_fleet_says_how_many_run_it(bundle: Path) -> None:
    signed()
    Path("fleet.json").write_text(json.dumps([{"gateway_id": f"gateway-{number}"} for number in range(60)]))
    assert "3 of 60 gateways that are known run it\nsoil: release 1 on 5 %" in done("roll-out soil 1 --fleet fleet.json")


def test_who_runs_a_release_is_told_by_the_sites_too_and_who_is_named_and_not_known(bundle: Path) -> None:
    signed()
    Path("fleet.json").write_text(json.dumps([{"gateway_id": "gateway-1", "site_id": "mill"}, {"gateway_id": "gateway-2"}]))
    status, output, error = release("roll-out soil 1 --share 0 --site mill --exclude-site mil --gateway gateway-3 --fleet fleet.json")
    assert (status, "1 of 2 gateways" in output) == (0, True)
    assert error == "gateway-3, mil: named here, and not among the gateways and sites that are known\n"
    assert done("status --gateway gateway-1 --site mill") == "soil: release 1\n"
    assert done("status --gateway gateway-1") == "soil: its own bundle\n"


def test_nobody_rolls_back_to_what_was_withdrawn(bundle: Path) -> None:
    signed()
    done("roll-out soil 1 --share 100")
    released()
    done("roll-out soil 2")
    done("withdraw soil 1")
    done("sign --key releases/holders/ada/releases.key")
    done("sign --key releases/holders/eva/releases.key")
    status, _, error = release("roll-back soil")
    assert (status, "release 1 of soil is not published: 2 holders sign it first, or it was withdrawn" in error) == (2, True)
    assert "release 2 is halted" in done("halt soil")


def test_a_name_that_no_gateway_can_have_spoils_no_rollout(bundle: Path) -> None:
    signed()
    done("roll-out soil 1")
    for option in ("--gateway", "--exclude-site"):
        result = CliRunner().invoke(cli, ["roll-out", "soil", "1", option, "gate way"])
        assert (result.exit_code, "'gate way' is no name of a gateway or site" in result.stderr) == (2, True)
    repository = Repository(Path("releases"))
    unreadable = rollouts.new_rollout(repository, "soil", 1, 5, pinned=Group(("gate way",)))
    with pytest.raises(ReleaseError, match="the rollout of soil cannot be read"):
        rollouts.begin(repository, unreadable, datetime.now(UTC))
    assert "release 1 is halted" in done("halt soil")


def test_a_fleet_without_gateways_is_refused_and_nothing_is_rolled_out(bundle: Path) -> None:
    signed()
    Path("registry.toml").write_text("")
    status, _, error = release("roll-out soil 1 --fleet registry.toml")
    assert (status, error.startswith("Error: registry.toml names no gateways: ")) == (2, True)
    assert json.loads(done("status --json"))["rollouts"] == []


def test_a_release_advances_by_its_health_waits_or_is_halted(bundle: Path) -> None:
    signed()
    Path("limits.toml").write_text("steps = [10, 100]\nhours = 0\n")
    done("roll-out soil 1 --thresholds limits.toml")
    row = {"model": "soil", "release": 1, "gateways": 4, "device_days": 3}
    assert done("advance soil --health -", json.dumps([row])).startswith(
        "wait: 3 days of devices were judged, 100 are needed: 97 are missing"
    )
    row["device_days"] = 130
    assert done("advance soil --health - --dry_run", json.dumps([row])).startswith("advance")
    assert json.loads(done("advance soil --health - --json", json.dumps([row])))["share"] == 100
    assert done("advance soil --health -", json.dumps([row])) == "wait: it has the last share\n"
    row |= {"gateways_refused": 1, "refusals": "crashed"}
    assert done("advance soil --health -", json.dumps([row]), status=1) == "halt: 1 of 4 gateways fell back from it: crashed\n"
    (status,) = json.loads(done("status --json"))["rollouts"]
    assert (status["halted"], [one["action"] for one in status["decisions"]]) == (True, ["roll-out", "advance", "halt"])
    assert release("advance soil --health -", "[]")[0] == 2


def test_the_status_says_what_waits_and_until_when_it_holds(bundle: Path) -> None:
    done("init")
    assert "nothing is released yet" in done("status")
    done("add bundle")
    first = done("sign --key releases/holders/first/releases.key")
    assert "releases 2: signed by 1 of 2 who must; waits for others" in first
    assert "  + releases/soil/1/model.tflite" in first
    assert "releases 2 waits: signed by 1 of 2 who must" in done("status")
    assert "waits for others" in done("publish site")
    done("sign --key releases/holders/second/releases.key")
    assert "soil: releases 1" in done("status")
    done("roll-out soil 1 --share 0 --gateway gateway-7")
    assert [done(f"status --gateway {name}") for name in ("gateway-7", "gateway-8")] == ["soil: release 1\n", "soil: its own bundle\n"]


def test_what_was_signed_is_drafted_anew_with_other_keys_for_who_lost_theirs() -> None:
    done("init --holder ada --holder ben --holder eva")
    shutil.move("releases/holders/ada", "lost")
    assert "releases/holders/ada/*.key are for ada alone" in done("renew --holder ada --online")
    assert release("publish site")[0] == 2
    for key in ("root", "releases"):
        done(f"sign --key releases/holders/ben/{key}.key")
        done(f"sign --key releases/holders/eva/{key}.key")
    done("publish site")
    assert client()[1] == []


def test_keys_are_for_their_holders_alone_and_no_output_holds_one(bundle: Path) -> None:
    outputs = [
        done("init"),
        done("add bundle"),
        done("sign --key releases/holders/first/releases.key"),
        done("status"),
        done("status --json"),
    ]
    files = sorted(Path("releases").rglob("*.key"))
    assert len(files) == 9
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    secrets = [line for file in files for line in file.read_text().splitlines() if "KEY" not in line]
    assert not any(secret in output for secret in secrets for output in outputs)


def test_the_gate_judges_what_is_added_where_training_is_installed() -> None:
    shutil.copytree(MODELS / "soil", "bundle")
    done("init")
    manifest = Path("bundle/manifest.json")
    manifest.write_text(manifest.read_text().replace('"tolerance"', '"intolerance"'))
    status, _, error = release("add bundle")
    assert (status, "bundle is not to be released: " in error, error.count("\n")) == (2, True, 1)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("init", "releases holds releases already"),
        ("init --folder other --holder ada --holder ada --holder eva", "name 3 holders, each once"),
        ("add empty", "empty is no bundle: it has no manifest.json"),
        ("sign --key releases/holders/first/root.key", "nothing waits for a signature by releases/holders/first/root.key"),
        ("sign --key absent.key", "absent.key cannot be read"),
        ("sign --key bundle/manifest.json", "bundle/manifest.json holds no private key in PEM"),
        ("publish bundle/manifest.json/x", "cannot be written: Not a directory"),
        ("roll-out soil 1", "release 1 of soil is not published"),
        ("withdraw soil 1", "there is no release 1 of soil"),
        ("renew --holder mallory", "'mallory' holds no keys of releases"),
        ("renew --holder first", "releases/holders/first/root.key is there already"),
        ("halt soil", "there is no rollout of soil"),
        ("roll-back soil", "there is no rollout of soil"),
        ("status --folder absent", "absent holds no releases: `tinybeam release init` makes such a folder"),
        ("roll-out soil 1 --thresholds limits.toml", "limits.toml: hours"),
        ("advance soil --health limits.toml", "there is no rollout of soil"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(bundle: Path, line: str, sentence: str) -> None:
    done("init")
    Path("empty").mkdir()
    Path("limits.toml").write_text("hours = -1\n")
    status, output, error = release(line)
    assert (status, output, error.count("\n")) == (2, "", 1), error
    assert sentence in error
    assert "PRIVATE" not in error


def test_a_command_starts_without_the_client_of_a_key_service() -> None:
    code = "import sys, releases.command; sys.exit('google.cloud.kms_v1' in sys.modules or 'tuf.api.metadata' not in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=MODELS.parent, check=True)
