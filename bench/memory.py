"""Runs the benchmark `memory`: what a gateway and the child of its model take at rest and in a flood, and which imports take it.

In an environment with what `tinybeam[edge]` installs and no more. Memory that processes share counts in equal parts (PSS, Linux).
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench import flood
from bench.figures import Figure, Log, figure
from bench.gateways.stand import DEVICES, Stand
from bench.gateways.subject import WINDOW_SECONDS
from bench.gateways.tinybeam_gateway import TinyBeam
from bench.peers import environment as installed
from bench.processes import children
from program.child import environment

COMMAND = "python -m bench memory"
_STEP_SECONDS = 0.25
MODEL = Path(__file__).parents[1] / "models" / "soil"
_IMPORTS = {
    "Python itself": "sys",
    "settings and command line (click, msgspec, ssl)": "tinybeam edge.config",
    "paho": "paho.mqtt.client",
    "the gateway's own modules": "edge.__main__",
    "grpc": "grpc",
    "requests, which Google's client imports": "google.auth.transport.requests",
    "Google's Pub/Sub client": "edge.uplink.google_publisher",
}
"""What a gateway imports, in order: a part's name and its modules."""
_MEASURE = """
import importlib, json, sys
from program.on_demand import load_on_demand
load_on_demand("google.oauth2.service_account")  # as edge.uplink.pubsub does
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
    """Says how long a gateway has to start, and how many messages a flood has."""

    start_seconds: float
    flood: int


FULL = Size(start_seconds=15.0, flood=300_000)
QUICK = Size(start_seconds=8.0, flood=2_000)


def memory(folder: Path, size: Size, log: Log) -> list[Figure]:
    """Measures with the shipped soil model and 100 devices. Raises NotInstalled of bench.peers."""
    python = installed(folder.parent / "envs", "gateway", log)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        subject = TinyBeam(model=MODEL, python=str(python))
        with Stand(subject, Path(place) / "stand", size.start_seconds) as stand:
            stand.publish(0, 5 * DEVICES)
            gateway, child = _sizes(stand)
            log(f"a flood of {size.flood:,} messages")
            at_most = _in_a_flood(stand, size.flood)
    together = figure("memory: at rest, gateway and its model's child, 100 devices", gateway + child, "MB", None, COMMAND)
    of_child = figure("memory: of it, the model's child", child, "MB", None, COMMAND)
    flooded = figure(f"memory: at most in a flood of {size.flood:,} messages, gateway and child", at_most, "MB", None, COMMAND)
    parts = [figure(f"memory: of the gateway, {name}", each, "MB", None, COMMAND) for name, each in _parts(python)]
    return [together, of_child, flooded, *parts]


def _sizes(stand: Stand) -> tuple[float, float]:
    """Returns MB of the gateway and of its child."""
    return _pss(stand.gateway.pid), sum(_pss(child) for child in children(stand.gateway.pid))


def _in_a_flood(stand: Stand, messages: int) -> float:
    """Returns the most MB of both together, from the first message until the last windows are closed."""
    with ThreadPoolExecutor(1) as sensors:
        coming, at_most, until = sensors.submit(flood.publish, stand.broker_port, messages), 0.0, float("inf")
        while time.monotonic() < until:
            at_most = max(at_most, sum(_sizes(stand)))
            time.sleep(_STEP_SECONDS)
            if coming.done() and until == float("inf"):
                until = time.monotonic() + 1.5 * WINDOW_SECONDS
        coming.result()
    return at_most


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
