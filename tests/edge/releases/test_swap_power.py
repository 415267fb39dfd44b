"""M4: after a loss of power at any step of a swap a gateway has the old model or the new one, whole, and goes on where it was."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from edge.models.bundle import BundleError
from edge.releases import child
from edge.releases.folder import ReleaseFolder
from program.child import environment
from releases import counters
from releases.error import ReleaseError, Untrusted
from tests import long_form
from tests.edge.folders import memory_folder
from tests.edge.releases.recorded_swaps import STATES, request
from tests.edge.releases.test_swap_kills import running
from tests.edge.releases.tree_power import Step, trees
from tests.releases.publisher import NOW

CUTS = long_form.number(300, 10_000)
CONTROL_CUTS = long_form.number(100, 1_000)
SEED = 20261127


@pytest.fixture(scope="module")
def recorded() -> Iterator[Path]:
    """The folder of a recording: its states, and its log."""
    with memory_folder() as folder:
        command = [sys.executable, "-P", "-m", "tests.edge.releases.recorded_swaps", str(folder)]
        subprocess.run(command, check=True, capture_output=True, env=environment(), cwd=Path(__file__).parents[3])
        yield folder


def log_of(folder: Path) -> list[Step]:
    log: list[Step] = pickle.loads((folder / "log").read_bytes())
    return log


def reached(log: Sequence[Step], cut: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What had been achieved at this cut, and what would have been next."""
    marks = [(at, json.loads(step.to)) for at, step in enumerate(log) if step.what == "mark"]
    done = max(number for number, (at, _) in enumerate(marks) if at < cut)
    return marks[done][1], marks[min(done + 1, len(marks) - 1)][1]


def fault(folder: Path, gateway: Path, before: dict[str, Any], after: dict[str, Any]) -> str | None:
    """What a cut has broken."""
    directory, asked = gateway / "releases", request(folder, gateway, STATES, fetch=False)
    try:
        runs = running(directory)
    except BundleError:
        return "half a model"
    if runs not in {before["running"], after["running"]}:
        return "another model"
    if not set(before["refused"]) <= ReleaseFolder(directory, "soil").refused().keys():
        return "a refusal forgotten"
    if any(_seen(file) < before["seen"] for file in asked.counters):
        return "a counter that went back"
    return _cannot_go_on(folder, gateway, before)


def _cannot_go_on(folder: Path, gateway: Path, before: dict[str, Any]) -> str | None:
    """It takes what is published now, and nothing older."""
    try:
        child.refresh(request(folder, gateway, STATES, fetch=False), NOW)
    except ReleaseError as error:
        return f"no way on: {error}"
    if before["seen"] <= 1:
        return None
    try:
        child.refresh(request(folder, gateway, 1, fetch=False), NOW)
    except Untrusted:
        return None
    return "a way back"


def _seen(file: Path) -> int:
    """The newest version that a counter knows, 0 for one that is lost."""
    try:
        seen = counters.read(file)
    except ReleaseError:
        return 0
    return seen["timestamp"].version if seen else 0


def faults(folder: Path, log: Sequence[Step], count: int) -> Counter[str]:
    rng = Random(SEED)
    cuts = sorted(rng.choices(range(1, len(log) + 1), k=count))
    found = Counter[str]()
    with memory_folder() as place:
        for number, (cut, gateway) in enumerate(trees(log, cuts, place, rng)):
            if broken := fault(folder, gateway, *reached(log, cut)):
                found[broken] += 1
            shutil.rmtree(gateway)
            long_form.progress(number, count)
    return found


def test_a_loss_of_power_at_any_step_leaves_the_old_or_the_new(recorded: Path) -> None:
    assert faults(recorded, log_of(recorded), CUTS) == {}, f"seed {SEED}"
    long_form.note_more("M4", f"{CUTS:,} cuts of the power in {STATES}: the old or the new each time, and a way on")


def test_what_is_not_synced_is_seen_to_be_lost(recorded: Path) -> None:
    """The negative control: the same steps on a disk that lies, and keeps nothing by a sync."""
    lying = [step for step in log_of(recorded) if step.what != "sync"]
    found = faults(recorded, lying, CONTROL_CUTS)
    assert sum(found.values()) > CONTROL_CUTS / 10
    broken = f"{sum(found.values()):,} of {CONTROL_CUTS:,} cuts leave something else"
    long_form.note("M4", control=f"on a disk on which a sync keeps nothing {broken}")
