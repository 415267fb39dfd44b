"""Runs the benchmark `peers`: the whole flow against Bytewax and Pathway on the same bytes, each in an environment of its own.

A peer that cannot be installed (no wheel for this Python, no package index) is a figure without a value that says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import beams, rows
from bench.figures import Figure, Log, by_turns, figure
from bench.messages import ROWS_A_MINUTE, Workload, registry
from bench.rows import UNIT, WrongAnswer

ROOT = Path(__file__).parents[1]
COMMAND = "python -m bench peers"


@dataclass(frozen=True, slots=True)
class Size:
    """Says how many rows each run takes, and how many runs count."""

    rows: int
    per_row: int
    turns: int


FULL = Size(rows=2_000_000, per_row=80_000, turns=3)
QUICK = Size(rows=4_000, per_row=2_000, turns=1)


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer is another engine for the same work. `per_row`: it processes rows one by one, so it gets fewer."""

    name: str
    requirements: str
    module: str
    per_row: bool


PEERS = (
    Peer("Bytewax, an item a row", "bytewax", "bytewax_flow", per_row=True),
    Peer("Bytewax with our columnar functions, an item a batch", "bytewax", "bytewax_columns", per_row=False),
    Peer("Pathway, a table of rows", "pathway", "pathway_flow", per_row=True),
)


MakeEnvironment = Callable[[Path, str, Log], Path]
"""Folder and name of an environment -> its Python."""


class NotInstalled(Exception):
    """A peer's packages could not be installed; the text ends with pip's last line."""


def peers(folder: Path, size: Size, log: Log, make: MakeEnvironment | None = None) -> list[Figure]:
    """Measures the pipeline and each peer by turns. Raises WrongAnswer."""
    large, small = Workload(folder, size.rows, 500), Workload(folder, size.per_row, 500)
    subjects: dict[str, Callable[[], float]] = {"the pipeline": rows.pipeline_speed(beams.whole_flow, large)}
    not_installed = []
    for peer in PEERS:
        try:
            python = (make or environment)(folder.parent / "envs", peer.requirements, log)
            subjects[peer.name] = _child(python, peer, small if peer.per_row else large)
        except NotInstalled as error:
            log(f"{peer.name} is left out: {error}")
            name = f"peers: {peer.name} could not be installed: {error}"
            not_installed.append(Figure(name=name, value=None, unit=UNIT, baseline=None, ratio=None, command=COMMAND))
    speeds = by_turns(subjects, size.turns, log)
    ours = speeds.pop("the pipeline")
    return [figure(f"peers: the pipeline, against {name}", ours, UNIT, speed, COMMAND) for name, speed in speeds.items()] + not_installed


def environment(folder: Path, name: str, log: Log) -> Path:
    """Makes an environment with what requirements-NAME.txt lists, and returns its Python. Raises NotInstalled."""
    requirements, home = Path(__file__).with_name(f"requirements-{name}.txt"), folder / name
    python, stamp = home / "bin" / "python", home / "installed"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        log(f"making an environment for {name}: a minute or two")
        venv.create(home, clear=True, with_pip=True)
        done = subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotInstalled(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"pip ended with {done.returncode}")
        stamp.write_text(requirements.read_text())
    return python


def _child(python: Path, peer: Peer, load: Workload) -> Callable[[], float]:
    """Returns a run of the peer that measures rows a second of its processor time, threads included. Raises WrongAnswer."""
    tiny = Workload(load.folder, ROWS_A_MINUTE, 500)
    command: list[str | Path] = [
        python,
        "-P",
        "-m",
        f"bench.baselines.{peer.module}",
        tiny.export_file(),
        load.export_file(),
        _registry(load.folder),
    ]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PATHWAY_THREADS": "1"}

    def run() -> float:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environ)
        if done.returncode:
            raise WrongAnswer(f"{peer.name} ended with {done.returncode}: {done.stderr[-2000:]}")
        result = json.loads(done.stdout.splitlines()[-1])
        if (result["rows"], result["windows"]) != (load.rows, load.windows):
            raise WrongAnswer(f"{peer.name} gave {result} for {load.rows} rows and {load.windows} windows")
        return load.rows / float(result["seconds"])

    return run


def _registry(folder: Path) -> Path:
    """Writes the registry as a file."""
    content, file = registry(), folder / "registry.toml"
    sites = [f'[[sites]]\nsite_id = "{site.site_id}"\nname = "{site.name}"\n' for site in content.sites]
    devices = [
        f'[[devices]]\ndevice_id = "{device.device_id}"\nkind = "{device.kind}"\nsite_id = "{device.site_id}"\n'
        for device in content.devices
    ]
    file.write_text("".join([*sites, *devices]))
    return file
