"""A real gateway process at a real broker, and what is seen of it from outside."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from lab.services.child import Child, free_port
from lab.witness.tap import Tap

_SETTINGS = """
[gateway]
id = "gw-1"
state_dir = "state"
[mqtt]
port = {port}
[windows]
seconds = 1
grace_seconds = 0
[uplink]
kind = "pubsub"
topic = "projects/demo-project/topics/telemetry"
[uplink.retry]
initial_interval = 0.2
[[sensors]]
name = "soil"
devices = ["d*"]
channels = {{ moisture = "m3/m3" }}
"""

NEEDS_MOSQUITTO = pytest.mark.skipif(
    shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None,
    reason="mosquitto is not installed (apt install mosquitto)",
)


def write_settings(directory: Path, port: int) -> None:
    (directory / "gateway.toml").write_text(_SETTINGS.format(port=port))


_NOTHING: Mapping[str, str] = MappingProxyType({})


def gateway(directory: Path, program: Sequence[str] = ("-m", "edge"), environment: Mapping[str, str] = _NOTHING) -> Child:
    """A gateway process that has no uplink; `program` is what Python is to run, `environment` is added to its own."""
    offline = {**environment, "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{free_port()}"}
    command = [sys.executable, *program, "run", "--config", str(directory / "gateway.toml")]
    return Child("gateway", command, directory / "gateway.log", offline)


def acknowledged(tap: Tap) -> set[int]:
    return {json.loads(publication.payload)["seq"] for publication in tap.acknowledged() if publication.topic.startswith("sensors/")}


def log_of(directory: Path) -> str:
    return (directory / "gateway.log").read_text()
