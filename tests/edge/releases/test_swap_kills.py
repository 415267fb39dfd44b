"""M4: whatever ends a gateway at whatever step of a swap, it has the old model or the new one, whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from edge.models.bundle import Bundle, BundleError
from edge.releases.choice import State
from edge.releases.folder import ReleaseFolder
from program.child import environment
from tests import long_form
from tests.edge.releases import swapping

KILLS = long_form.number(20, 1_000)
STRIDE = 1 if long_form.is_long() else 2
SEED = 20261127
COMMAND = [sys.executable, "-P", "-m", "tests.edge.releases.swapping"]
OLD, NEW = 4, 5
"""The new one is a fifth: it is refused when it has run, so that the way back is killed too."""


class Swapping:
    """Begins processes of tests.edge.releases.swapping, one at a time."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(), cwd=Path(__file__).parents[3]
        )

    def begin(self, folder: Path, *arguments: int) -> int:
        """Returns its number."""
        assert self._server.stdin
        print(folder, *arguments, file=self._server.stdin, flush=True)
        return int(self.line().removeprefix("begins "))

    def line(self) -> str:
        assert self._server.stdout
        return self._server.stdout.readline().strip()

    def rest(self) -> tuple[list[str], int]:
        """Returns what it printed until it ended, and its exit code."""
        lines = [self.line()]
        while not lines[-1].startswith("ended"):
            lines.append(self.line())
        return lines[:-1], int(lines[-1].removeprefix("ended "))

    def close(self) -> None:
        self._server.communicate()


@pytest.fixture(scope="module")
def swaps() -> Iterator[Swapping]:
    with closing(Swapping()) as begun:
        yield begun


def running(directory: Path) -> int | None:
    """Which release a gateway would run now; raises BundleError if that is not whole."""
    folder = ReleaseFolder(directory, "soil")
    assert all(Bundle.load(folder.bundle(number)).version == str(number) for number in folder.numbers())
    state, refused = folder.state, folder.refused()
    for number in (state.running, state.previous):
        if number is not None and number not in refused:
            assert Bundle.load(folder.bundle(number)).version == str(number)
            return number
    return None


def last_good(numbers: Sequence[int]) -> int:
    return next(number for number in reversed(numbers) if number % 5 or not number)


def prepared(directory: Path) -> None:
    folder = ReleaseFolder(directory, "soil")
    for number in (3, OLD):
        swapping.take(folder, number)


def test_a_kill_at_every_step_leaves_the_old_or_the_new(swaps: Swapping, tmp_path: Path) -> None:
    found, step, killed_at = set[int | None](), STRIDE - 1, 0
    while True:
        directory = tmp_path / str(step)
        prepared(directory)
        swaps.begin(directory, NEW, step)
        _, status = swaps.rest()
        if status == 0:
            break
        assert status == -signal.SIGKILL
        found.add(running(directory))
        step, killed_at = step + STRIDE, killed_at + 1
    assert found == {OLD, NEW}
    assert running(directory) == OLD
    assert killed_at > 10
    long_form.note_more("M4", f"a kill at each of {killed_at} steps")


def test_repeated_kills_leave_the_last_or_the_next(swaps: Swapping, tmp_path: Path) -> None:
    rng, directory, last, count = Random(SEED), tmp_path / "releases", 0, 0
    before: int | None = None
    for kill in range(KILLS):
        process = swaps.begin(directory, last + 1)
        told = [int(swaps.line())]
        time.sleep(rng.uniform(0.0, 0.02))
        os.kill(process, signal.SIGKILL)
        told += map(int, swaps.rest()[0])
        before, now = last_good([before or 0, *told]), running(directory)
        # The last that it told of and was not refused, or the next one.
        allowed = {before, told[-1] + 1}
        assert now in allowed, f"kill {kill}, seed {SEED}: {now} runs after {told[-1]}"
        count, last, before = count + len(told), told[-1] + 1, now
        long_form.progress(kill, KILLS)
    long_form.note("M4", seed=SEED)
    long_form.note_more("M4", f"{KILLS:,} kills in {count:,} swaps")


def test_a_bundle_that_is_given_its_name_before_it_is_whole_is_seen(tmp_path: Path) -> None:
    """The negative control: without the folder's two names a kill leaves half a bundle in its place."""
    folder = ReleaseFolder(tmp_path, "soil")
    folder.write_state(State(running=7))
    folder.bundle(7).mkdir(parents=True)
    (folder.bundle(7) / "model.tflite").write_bytes(b"half")
    with pytest.raises(BundleError):
        running(tmp_path)
