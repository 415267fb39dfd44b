"""Benchmark `peers`: the whole flow against Bytewax and Pathway on the same bytes, each in an environment that is made here for it.

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
from bench.figures import Figure, Say, by_turns, figure
from bench.messages import ROWS_A_MINUTE, Load, registry
from bench.rows import UNIT, WrongAnswer

ROOT = Path(__file__).parents[1]
COMMAND = "python -m bench peers"


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows each run takes, and how many runs count."""

    rows: int
    per_row: int
    turns: int


FULL = Size(rows=2_000_000, per_row=80_000, turns=3)
QUICK = Size(rows=4_000, per_row=2_000, turns=1)


@dataclass(frozen=True, slots=True)
class Peer:
    """A way to do the work. `per_row`: it takes rows one by one, so it gets fewer."""

    name: str
    requirements: str
    module: str
    per_row: bool


PEERS = (
    Peer("Bytewax, an item a row", "bytewax", "bytewax_flow", per_row=True),
    Peer("Bytewax with our columnar functions, an item a batch", "bytewax", "bytewax_columns", per_row=False),
    Peer("Pathway, a table of rows", "pathway", "pathway_flow", per_row=True),
)


Make = Callable[[Path, str, Say], Path]
"""Folder and name of an environment -> its Python."""


class NotInstalled(Exception):
    """The text says what pip said."""


def peers(folder: Path, size: Size, say: Say, make: Make | None = None) -> list[Figure]:
    large, small = Load(folder, size.rows, 500), Load(folder, size.per_row, 500)
    ways: dict[str, Callable[[], float]] = {"the pipeline": rows.ours(beams.whole, large)}
    missing = []
    for peer in PEERS:
        try:
            python = (make or environment)(folder.parent / "envs", peer.requirements, say)
            ways[peer.name] = _child(python, peer, small if peer.per_row else large)
        except NotInstalled as error:
            say(f"{peer.name} is left out: {error}")
            missing.append(Figure(f"peers: {peer.name} could not be installed: {error}", None, UNIT, None, None, COMMAND))
    found = by_turns(ways, size.turns, say)
    ours = found.pop("the pipeline")
    return [figure(f"peers: the pipeline, against {name}", ours, UNIT, other, COMMAND) for name, other in found.items()] + missing


def environment(folder: Path, name: str, say: Say) -> Path:
    """Its Python, with what requirements-NAME.txt says. Raises NotInstalled."""
    requirements, home = Path(__file__).with_name(f"requirements-{name}.txt"), folder / name
    python, mark = home / "bin" / "python", home / "installed"
    if not mark.exists() or mark.read_text() != requirements.read_text():
        say(f"making an environment for {name}: a minute or two")
        venv.create(home, clear=True, with_pip=True)
        done = subprocess.run([python, "-m", "pip", "install", "-q", "-r", requirements], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotInstalled(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"pip ended with {done.returncode}")
        mark.write_text(requirements.read_text())
    return python


def _child(python: Path, peer: Peer, load: Load) -> Callable[[], float]:
    """Rows a second of the processor time that the peer says it took, its threads included. Raises WrongAnswer."""
    tiny = Load(load.folder, ROWS_A_MINUTE, 500)
    command: list[str | Path] = [python, "-P", "-m", f"bench.baselines.{peer.module}", tiny.cards(), load.cards(), _registry(load.folder)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PATHWAY_THREADS": "1"}

    def run() -> float:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environ)
        if done.returncode:
            raise WrongAnswer(f"{peer.name} ended with {done.returncode}: {done.stderr[-2000:]}")
        said = json.loads(done.stdout.splitlines()[-1])
        if (said["rows"], said["windows"]) != (load.rows, load.windows):
            raise WrongAnswer(f"{peer.name} gave {said} for {load.rows} rows and {load.windows} windows")
        return load.rows / float(said["seconds"])

    return run


def _registry(folder: Path) -> Path:
    """The registry as its file."""
    known, file = registry(), folder / "registry.toml"
    sites = [f'[[sites]]\nsite_id = "{one.site_id}"\nname = "{one.name}"\n' for one in known.sites]
    devices = [f'[[devices]]\ndevice_id = "{one.device_id}"\nkind = "{one.kind}"\nsite_id = "{one.site_id}"\n' for one in known.devices]
    file.write_text("".join([*sites, *devices]))
    return file
