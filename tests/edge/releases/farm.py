"""A gateway's configuration beside a publisher, by real children."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from edge.config import Config, load
from edge.models.bundles import bundles_of
from edge.models.running import close_all
from edge.models.slot import Slot
from edge.releases import child
from edge.releases.folder import ReleaseFolder
from edge.releases.loading import open_slot, places_of
from edge.releases.request import Request
from edge.releases.swaps import Swaps
from edge.releases.updates import ModelUpdates
from program.child import ChildFailed
from releases.error import ReleaseError
from tests.edge.models.test_process_scorer import SOIL
from tests.edge.releases.test_child import files
from tests.releases.publisher import Publisher

SETTINGS = """
[gateway]
id = "gw-1"
state_dir = "{folder}/state"
[uplink]
kind = "pubsub"
topic = "projects/demo-project/topics/telemetry"
[[sensors]]
name = "soil"
devices = ["d*"]
channels = {{ moisture = "m3/m3", temperature = "degC" }}
model = "soil"
[[models]]
name = "soil"
bundle = "{bundle}"
[releases]
source = "{site}"
root = "{root}"
poll_seconds = 60
"""


class Farm:
    """A gateway's configuration beside a publisher, and its updates without their thread."""

    def __init__(self, publisher: Publisher, folder: Path) -> None:
        self.publisher, self.file, self.monotonic = publisher, folder / "gateway.toml", 0.0
        text = SETTINGS.format(folder=folder, bundle=SOIL, site=publisher.site, root=publisher.root)
        self.file.write_text(text)
        self.config: Config = load(self.file)
        (self.place,) = places_of(self.config, bundles_of(self.config))
        self.slots: dict[str, Slot] = {}
        self.unusable: list[str] = []

    @property
    def folder(self) -> ReleaseFolder:
        return self.place.folder

    def publish(self, share: float = 100.0, **changed: Any) -> None:
        self.publisher.roll_out(self.publisher.release(files=files(**changed)), share)
        self.publisher.publish()

    def ask(self, request: Request) -> str:
        try:
            child.refresh(request, self.publisher.now)
        except ReleaseError as error:
            raise ChildFailed(str(error)) from error
        return ""

    def start(self) -> None:
        """Opens what a gateway opens when it starts."""
        close_all(self.slots)
        self.slots.clear()
        self.slots["soil"] = open_slot(self.config, self.place, lambda name, fault: self.unusable.append(f"{name}: {fault}"))
        running = {"soil": self.slots["soil"].in_force.bundle.release}
        self.updates = ModelUpdates(self.config, [self.place], running, print, Random(1), ask=self.ask, clock=lambda: self.monotonic)
        self.swaps = Swaps(self.slots, [self.place], self.updates, 60, lambda _: None)

    def look(self) -> None:
        """What the thread and the loop do in the next minutes."""
        self.monotonic += 100.0
        self.updates.look()
        self.swaps.turn(1_000_000, self.monotonic)

    @property
    def version(self) -> str:
        return self.slots["soil"].in_force.bundle.version
