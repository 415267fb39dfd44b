"""Runs the benchmark `memory`: what a gateway and the child of its model take at rest, and which imports take it.

In an environment with what `tinybeam[edge]` installs and no more. Memory that processes share counts in equal parts (PSS, Linux).
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, Log, figure
from bench.gateways.stand import DEVICES, Stand
from bench.gateways.tinybeam_gateway import TinyBeam
from bench.peers import environment as installed
from bench.processes import children
from program.child import environment

COMMAND = "python -m bench memory"
MODEL = Path(__file__).parents[1] / "models" / "soil"
_IMPORTS = {
    "Python itself": "sys",
    "settings and command line (click, msgspec, ssl)": "tinybeam edge.config",
    "paho": "paho.mqtt.client",
    "the gateway's own modules": "edge.__main__",
    "grpc": "grpc",
    "Google's credentials (cryptography)": "google.oauth2.service_account google.auth.identity_pool",
    "requests, which fetches tokens": "google.auth.transport.requests",
    "Google's Pub/Sub client": "edge.uplink.google_publisher",
}
"""What a gateway imports, in order: a part's name and its modules."""
_MEASURE = """
import importlib, json, sys
def size():
    return next(int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if line.startswith("Pss:"))
sizes = []
for modules in sys.argv[1:]:
    for module in modules.split():
        importlib.import_module(module)
    sizes.append(size())
print(json.dumps(sizes))
"""


@dataclass(frozen=True, slots=True)
class Size:
    """Says how long a gateway has to start."""

    start_seconds: float


FULL = Size(start_seconds=15.0)
QUICK = Size(start_seconds=8.0)


def memory(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Measures with the shipped soil model and 100 devices. Raises NotInstalled of bench.peers."""
    python = installed(folder.parent / "envs", "gateway", log)
    gateway, child = _at_rest(python, folder, size)
    together = figure("memory: at rest, gateway and its model's child, 100 devices", gateway + child, "MB", None, COMMAND)
    of_child = figure("memory: of it, the model's child", child, "MB", None, COMMAND)
    parts = [figure(f"memory: of the gateway, {name}", each, "MB", None, COMMAND) for name, each in _parts(python)]
    return [together, of_child, *parts]


def _at_rest(python: Path, folder: Path, size: Size) -> tuple[float, float]:
    """Returns MB of the gateway and of its child."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        subject = TinyBeam(model=MODEL, python=str(python))
        with Stand(subject, Path(place) / "stand", size.start_seconds) as stand:
            stand.publish(0, 5 * DEVICES)
            return _pss(stand.gateway.pid), sum(_pss(child) for child in children(stand.gateway.pid))


def _pss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6


def _parts(python: Path) -> Iterator[tuple[str, float]]:
    command = [str(python), "-P", "-c", _MEASURE, *_IMPORTS.values()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    before = 0.0
    for name, kilobytes in zip(_IMPORTS, json.loads(done.stdout), strict=True):
        yield name, (kilobytes - before) * 1024 / 1e6
        before = kilobytes
