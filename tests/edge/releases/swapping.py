"""Processes that take release after release, for tests that end them at any step: a line `FOLDER NEXT [STEP]` on standard input begins one.

It does what a gateway and its child do on disk, in their order, with releases 1, 2, ... that it makes itself: the folder of release N holds
a bundle whose version is N. After STEP operations on files it dies by SIGKILL, before the next one. It prints each release that runs.
Each is a fork, which says its number first; how it ended is printed last.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from edge.models.bundle import Bundle
from edge.releases.choice import Offer, State
from edge.releases.folder import ReleaseFolder

SOIL = Path(__file__).parents[3] / "models" / "soil"
EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree")


def write_bundle(into: Path, number: int) -> None:
    """Writes a sound bundle of that version, and syncs nothing: a kill leaves what was written."""
    model = (SOIL / "model.tflite").read_bytes()
    manifest = json.loads((SOIL / "manifest.json").read_text()) | {"version": str(number), "sha256": sha256(model).hexdigest()}
    (into / "model.tflite").write_bytes(model)
    (into / "manifest.json").write_text(json.dumps(manifest))


def take(folder: ReleaseFolder, number: int) -> None:
    """Takes one release as `edge.releases.child.stage` and `edge.releases.swaps` do."""
    if not folder.has(number):
        write_bundle(folder.staging(number), number)
        folder.commit(number)
    folder.write_offer(Offer(release=number))
    for _ in put_in_force(folder, number, is_bad=number % 5 == 0):
        pass


def put_in_force(folder: ReleaseFolder, number: int, *, is_bad: bool) -> Iterator[int | None]:
    """Lets a release that is there run, and takes a bad one back. Yields what runs whenever that has been noted."""
    before = folder.state.running
    Bundle.load(folder.bundle(number))
    folder.write_state(State(running=number, previous=before, from_us=number, on_trial=True))
    yield number
    folder.write_state(State(running=number, previous=before))
    if is_bad:
        folder.refuse(number, "it is bad")
        yield before
        folder.write_state(State(running=before))
    folder.prune((number, before, folder.state.running))
    yield folder.state.running


def die_at(step: int, folder: Path) -> None:
    """Ends the process before the operation with that number on a file in the folder."""
    left = step

    def look(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in EVENTS and str(arguments[0]).startswith(str(folder)):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(look)


def main(arguments: list[str]) -> None:
    folder, first = Path(arguments[0]), int(arguments[1])
    if len(arguments) > 2:
        die_at(int(arguments[2]), folder)
        take(ReleaseFolder(folder, "soil"), first)
        print("whole", flush=True)
        return
    for number in range(first, first + 1_000_000):
        take(ReleaseFolder(folder, "soil"), number)
        print(number, flush=True)


def serve() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            print("begins", os.getpid(), flush=True)
            main(line.split())
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
