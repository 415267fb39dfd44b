"""The units are ones that systemd takes, shut off from the machine as far as their programs allow, and fed by what the programs tell."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lab.services.child import Child, free_port
from tinybeam import main

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
with_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (apt install systemd)")
MOST_EXPOSED = 25
"""Of systemd-analyze's 100 points, in tenths of its printed figure: 0 is a program that can do nothing."""


def of_this_machine(unit: Path, folder: Path) -> Path:
    """The unit with the command of this environment, for there is none in /opt."""
    copy = folder / unit.name
    copy.write_text(unit.read_text().replace("/opt/tinybeam/bin/tinybeam", f"{sys.prefix}/bin/tinybeam"))
    return copy


@with_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    verified = subprocess.run(["systemd-analyze", "verify", of_this_machine(unit, tmp_path)], capture_output=True, text=True, check=False)
    complaints = [line for line in verified.stderr.splitlines() if unit.name in line]
    assert (complaints, verified.returncode) == ([], 0)


@with_systemd
def test_a_setting_that_systemd_does_not_know_is_found(tmp_path: Path) -> None:
    copy = of_this_machine(ROOT / "deploy/systemd/tinybeam-gateway.service", tmp_path)
    copy.write_text(copy.read_text().replace("WatchdogSec=", "WatchdogSeconds="))
    verified = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert "'WatchdogSeconds'" in verified.stderr


@with_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_service_can_do_little_to_its_machine(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={MOST_EXPOSED}", unit]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout[-600:]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_commands_of_a_unit_are_ours(unit: Path) -> None:
    for words in re.findall(r"^Exec\w+=/opt/tinybeam/bin/tinybeam (.*)$", unit.read_text(), re.MULTILINE):
        room, command, *flags = words.split()
        group = main.get_command(None, room)  # type: ignore[arg-type]
        if command.startswith("--"):  # Beam takes what it likes
            continue
        found = group.get_command(None, command)  # type: ignore[union-attr, arg-type]
        options = {name for parameter in found.params for name in parameter.opts}
        assert {flag for flag in flags if flag.startswith("--")} <= options


@with_systemd
def test_mosquitto_is_restarted_by_the_file_that_is_touched_once_somebody_is_to_be_out(tmp_path: Path) -> None:
    for kind in ("path", "service"):
        shutil.copy(ROOT / f"deploy/systemd/tinybeam-broker-restart.{kind}", tmp_path)
    verified = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "tinybeam-broker-restart.path"], capture_output=True, text=True, check=False
    )
    complaints = [line for line in verified.stderr.splitlines() if "tinybeam-broker-restart" in line and "mosquitto" not in line]
    assert (complaints, verified.returncode) == ([], 0)
    watched = re.search(r"^PathChanged=(.*)$", (tmp_path / "tinybeam-broker-restart.path").read_text(), re.MULTILINE)
    broker = (ROOT / "deploy/systemd/tinybeam-broker.service").read_text()
    assert watched
    assert f'--restart "/usr/bin/touch {watched[1]}"' in broker
    assert f"\nRuntimeDirectory={Path(watched[1]).parent.name}\n" in broker


def test_a_gateway_may_ask_for_the_state_of_the_clock() -> None:
    unit = (ROOT / "deploy/systemd/tinybeam-gateway.service").read_text()
    assert "SystemCallFilter=adjtimex" in unit
    assert "\nProtectClock=" not in unit


def test_a_gateway_says_that_it_works_that_it_turns_and_that_it_stops(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text(f"""\
[gateway]
id = "gateway-1"
state_dir = "state"
[mqtt]
port = {free_port()}
[uplink]
kind = "pubsub"
topic = "projects/my-project/topics/telemetry"
[[sensors]]
name = "soil"
devices = ["*"]
channels = {{ moisture = "m3/m3" }}
""")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{free_port()}"}
        command = [sys.executable, "-m", "edge", "run", "--config", str(tmp_path / "gateway.toml")]
        with Child("gateway", command, tmp_path / "gateway.log", environment) as gateway:
            told = [manager.recv(100)]
            while told.count(b"WATCHDOG=1") < 2 or b"READY=1" not in told:
                told.append(manager.recv(100))
            assert gateway.stop() == 0
        while b"STOPPING=1" not in told:
            told.append(manager.recv(100))
    assert set(told) == {b"READY=1", b"WATCHDOG=1", b"STOPPING=1"}
