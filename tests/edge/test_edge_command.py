"""`tinybeam edge`: exit codes, one clear line for a mistake, help that teaches."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.__main__ import cli
from edge.doctor import examine
from edge.gateway import Gateway
from edge.store.store import Store
from lab.services.child import free_port
from tests.edge.encoded import NOW, encoded
from tests.edge.gateways import START, config, message

SETTINGS = """
[gateway]
id = "gw-1"
state_dir = "state"
[mqtt]
port = {port}
[uplink]
kind = "pubsub"
topic = "projects/demo-project/topics/telemetry"
[[sensors]]
name = "soil"
devices = ["d*"]
channels = {{ moisture = "m3/m3", temperature = "degC" }}
model = "soil"
[[models]]
name = "soil"
bundle = "{bundle}"
"""
BUNDLE = Path(__file__).parents[2] / "models" / "soil"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "gateway.toml"
    file.write_text(SETTINGS.format(port=free_port(), bundle=BUNDLE))
    return file


def call(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments], prog_name="tinybeam edge")
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("command", ["validate", "test", "run", "doctor", "export", "models", "support"])
def test_every_help_shows_an_example(command: str) -> None:
    status, output, _ = call(command, "--help")
    assert status == 0
    assert re.search(rf"tinybeam edge {command} \S* ?--config gateway\.toml", output)


def test_a_good_file_is_called_good(file: Path) -> None:
    status, output, _ = call("validate", "--config", file)
    assert (status, output.split(":")[0]) == (0, str(file))
    assert "good. Gateway gw-1" in output


def test_the_file_has_one_place_on_the_command_line(file: Path) -> None:
    assert call("validate", file)[0] == 2


@pytest.mark.parametrize("command", [["validate"], ["run"], ["export", "."]])
def test_a_mistake_is_one_line_with_file_and_setting_and_exit_code_2(file: Path, command: list[str]) -> None:
    file.write_text(file.read_text().replace("port", "prot"))
    status, output, error = call(*command, "--config", file)
    assert (status, output) == (2, "")
    assert error == f"Error: {file}: mqtt.prot: unknown setting; did you mean port?\n"


def test_a_bundle_that_is_not_there_is_a_mistake_of_the_configuration(file: Path) -> None:
    file.write_text(file.read_text().replace(str(BUNDLE), "absent"))
    status, _, error = call("validate", "--config", file)
    assert status == 2
    assert "absent" in error
    assert error.count("\n") == 1


def test_a_class_that_lacks_a_channel_of_its_model_is_a_mistake(file: Path) -> None:
    file.write_text(file.read_text().replace(', temperature = "degC"', ""))
    status, _, error = call("validate", "--config", file)
    assert status == 2
    assert error == f"Error: {file}: sensors 'soil': model 'soil' needs the channel 'temperature' in degC\n"


def test_no_configuration_at_all_is_a_usage_error() -> None:
    status, _, error = call("validate")
    assert status == 2
    assert "Missing option '--config'" in error


def test_export_writes_what_waits(file: Path, tmp_path: Path) -> None:
    assert call("export", tmp_path / "exported", "--config", file)[0] == 1
    settings = config(tmp_path)
    store = Store(settings.store_file, "gw-1", 64 << 20)
    gateway = Gateway(settings, store, START)
    gateway.accept([message("d1", {"values": {"moisture": 0.3}})], START)
    gateway.flush(START)
    store.close()
    status, output, _ = call("export", tmp_path / "exported", "--config", file, "--json")
    (written,) = json.loads(output)
    assert (status, written["batches"], Path(written["path"]).is_file()) == (0, 1, True)


def test_a_damaged_store_is_said_by_the_doctor_and_exported_as_far_as_it_is_whole(file: Path, tmp_path: Path) -> None:
    """The doctor said to move it away, and an export ended at the first broken batch, each time."""
    settings = config(tmp_path)
    with closing(Store(settings.store_file, "gw-1", 64 << 20)) as store:
        store.cut([encoded(body=b"whole"), encoded(body=b"a body that will rot")], NOW)
    stored = settings.store_file.read_bytes()
    settings.store_file.write_bytes(stored.replace(b"will rot", b"did rot!"))
    status, output, error = call("export", tmp_path / "exported", "--config", file, "--json")
    assert (status, [written["batches"] for written in json.loads(output)]) == (0, [1])
    assert "is damaged" in error
    settings.store_file.write_bytes(bytes(8192))
    [finding] = [found for found in examine(file) if found.name == "store"]
    assert (finding.status, "start the gateway" in finding.advice) == ("fail", True)


def test_an_export_after_a_death_within_the_rescue_finds_the_store(file: Path, tmp_path: Path) -> None:
    settings = config(tmp_path)
    with closing(Store(settings.store_file, "gw-1", 64 << 20)) as store:
        store.cut([encoded(body=b"whole")], NOW)
    settings.store_file.rename(settings.store_file.with_name("store.db.whole"))
    status, output, _ = call("export", tmp_path / "exported", "--config", file, "--json")
    assert (status, [written["batches"] for written in json.loads(output)]) == (0, [1])


def test_the_doctor_finds_the_broker_down_and_says_what_to_do(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    status, output, _ = call("doctor", "--config", file, "--json")
    findings = {finding["name"]: finding for finding in json.loads(output)}
    assert status == 1
    assert list(findings) == ["config", "store", "disk", "models", "clock", "broker", "uplink", "signatures", "bytes up"]
    assert (findings["broker"]["status"], findings["uplink"]["status"], findings["models"]["status"]) == ("fail", "warn", "ok")
    assert "start the broker" in findings["broker"]["advice"]


def test_the_doctor_says_that_a_key_can_be_read_by_others(file: Path, tmp_path: Path) -> None:
    key = tmp_path / "credentials.json"
    key.write_text("{}")
    key.chmod(0o644)
    file.write_text(file.read_text().replace("[uplink]", f'[uplink]\ncredentials_file = "{key}"'))
    (finding,) = [finding for finding in examine(file) if finding.name == "keys"]
    assert (finding.status, finding.advice) == ("fail", f"chmod 600 {key}")
    key.chmod(0o600)
    assert [finding.status for finding in examine(file) if finding.name == "keys"] == ["ok"]


def test_the_doctor_says_for_which_pipeline_batches_are_written_and_what_ends_it(file: Path) -> None:
    file.write_text(f'[batches]\nfor_pipeline = "0.2"\n{file.read_text()}')
    (finding,) = [finding for finding in examine(file) if finding.name == "pipeline"]
    assert (finding.status, finding.text) == ("ok", "batches are written as pipelines of 0.2 read them")
    assert "remove batches.for_pipeline" in finding.advice


def test_a_gateway_for_an_earlier_pipeline_says_what_it_lacks(file: Path) -> None:
    file.write_text(f'[batches]\nfor_pipeline = "0.2"\n{file.read_text()}')
    without = "import sys; sys.modules['nanoarrow'] = None; from edge.__main__ import cli; cli(['try', '-', '--config', sys.argv[1]])"
    line = '{"device": "d1", "time": "2026-05-01T12:00:00Z", "values": {"moisture": 0.3}}'
    failed = subprocess.run([sys.executable, "-c", without, file], input=line, capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert "batches.for_pipeline needs the package nanoarrow" in failed.stderr


def test_a_folder_that_may_not_be_looked_into_is_a_finding_of_the_doctors(file: Path) -> None:
    file.write_text(file.read_text().replace('"state"', f'"{"x" * 300}"'))
    found = {finding.name: finding for finding in examine(file)}
    assert (found["store"].status, found["store"].advice) == ("fail", "run it as the gateway's user")
    assert "broker" in found


def test_the_doctor_stops_at_a_configuration_that_cannot_be_read(tmp_path: Path) -> None:
    (finding,) = examine(tmp_path / "absent.toml")
    assert finding.status == "fail"
