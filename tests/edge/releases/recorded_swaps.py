"""A process that takes one published state after the other, with the gateway's own code, and writes down what it did to its files:
`python -m tests.edge.releases.recorded_swaps FOLDER`. It publishes into FOLDER/states, runs in FOLDER/gateway, and writes FOLDER/log.
"""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from itertools import chain
from pathlib import Path

from edge.releases import child
from edge.releases.folder import ReleaseFolder
from edge.releases.request import Request
from releases.counters import read
from tests.edge.releases import swapping
from tests.edge.releases.test_child import files
from tests.edge.releases.tree_power import Recorder
from tests.releases.publisher import NOW, Publisher

STATES, BAD = 3, 2


def request(folder: Path, gateway: Path, state: int, *, fetch: bool = True) -> Request:
    """What the gateway with these files asks for, from one of the states."""
    directory = gateway / "releases"
    return Request(
        source=str(folder / "states" / str(state)),
        root=folder / "root.json",
        directory=directory,
        counters=(gateway / "store.releases", directory / "seen.json"),
        gateway_id="gw-1",
        sites=(),
        models=("soil",),
        fetch=fetch,
    )


def publish(folder: Path) -> None:
    """State N has release N for all gateways; the one that is bad is seen to be so when it runs."""
    publisher = Publisher(folder / "publisher")
    for number in range(1, STATES + 1):
        publisher.roll_out(publisher.release(files=files(version=str(number))), 100)
        publisher.publish()
        shutil.copytree(publisher.site, folder / "states" / str(number))
    shutil.copy(publisher.root, folder / "root.json")


def main(folder: Path) -> None:
    publish(folder)
    gateway = folder / "gateway"
    gateway.mkdir()
    recorder = Recorder(gateway)
    recorder.start()
    releases = ReleaseFolder(gateway / "releases", "soil")
    recorder.mark(json.dumps({"running": None, "refused": [], "seen": 0}))
    for number in range(1, STATES + 1):
        asked = request(folder, gateway, number)
        child.refresh(asked, NOW)
        runs = chain([releases.state.running], swapping.put_in_force(releases, number, is_bad=number == BAD))
        for running in runs:
            seen = read(asked.counters[0])["timestamp"].version
            recorder.mark(json.dumps({"running": running, "refused": sorted(releases.refused()), "seen": seen}))
    (folder / "log").write_bytes(pickle.dumps(recorder.log))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
