"""A gateway whose models may be swapped, a store for it, and scorers that say which model was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import time
from typing import Any

from edge.config import Config
from edge.gateway import Gateway
from edge.models.bundle import Bundle
from edge.models.recipe import Recipe
from edge.models.scorer import Score, ScorerFailed
from edge.models.slot import LoadedModel, Slot
from edge.releases.folder import ReleaseFolder
from edge.releases.loading import places_of
from edge.releases.swaps import Swaps
from edge.releases.updates import Candidate, ModelUpdates
from edge.store.store import Store
from schemas.envelope import micros
from tests.edge.gateways import START, config, message, rows, settings

SECOND = timedelta(seconds=1)
SOIL = Path(__file__).parents[3] / "models" / "soil"


def bundle(version: str, release: int | None = None, *, young_hours: float = 0.001, hours: float = 0.01) -> Bundle:
    """The soil model's bundle with a recipe of one step; `hours` makes another recipe, `young_hours` how long it is silent."""
    steps = [{"name": "mean", "op": "ewma", "of": ["moisture"], "hours": hours}]
    recipe = Recipe.parse({"steps": steps, "inputs": ["mean"], "young_hours": young_hours, "gap_hours": 1}, ["moisture"])
    sha256 = version.encode().hex().ljust(64, "0")
    return replace(Bundle.load(SOIL), recipe=recipe, channels=("moisture",), version=version, sha256=sha256, release=release)


class Clock:
    """A clock of releases that a test sets; it begins at the machine's."""

    def __init__(self) -> None:
        self.seconds = time()

    def __call__(self) -> float:
        return self.seconds


class Speaker:
    """A scorer that says one label, or fails as it is told to."""

    runtime = "none"

    def __init__(self, label: str = "fine") -> None:
        self.fault: ScorerFailed | None = None
        self.is_closed = False
        self._label = label

    def score(self, name: str, features: Sequence[Sequence[float]]) -> list[Score]:
        assert not self.is_closed, "a model that was let go is asked"
        if self.fault and features:
            raise self.fault
        return [Score(self._label, 9.0, 1.0) for _ in features]

    def close(self) -> None:
        self.is_closed = True


def loaded(of: Bundle, scorer: Speaker | None = None) -> LoadedModel:
    scorer = scorer or Speaker()
    return LoadedModel(of, scorer, scorer.close)


class Updates(ModelUpdates):
    """Gives what a test makes ready, and starts nothing."""

    def __init__(self) -> None:
        self.ready: list[Candidate] = []
        self.noted: list[tuple[str, int | None, bool]] = []

    def take(self) -> list[Candidate]:
        taken, self.ready = self.ready, []
        return taken

    def note(self, name: str, running: int | None, *, shadow: bool = False) -> None:
        self.noted.append((name, running, shadow))


class Field:
    """A gateway with two probes that speak each second; windows of ten seconds, and nothing is held back."""

    def __init__(self, folder: Path, first: LoadedModel, **changed: Any) -> None:
        (plain,) = settings()["sensors"]
        models = [{"name": "soil", "bundle": str(SOIL)}]
        folder.mkdir(exist_ok=True)
        root = folder / "root.json"
        root.write_text("{}")
        releases = {"root": str(root), "directory": str(folder / "releases")}
        self.config: Config = config(folder, sensors=[{**plain, "model": "soil"}], models=models, releases=releases, **changed)
        self.store = Store(self.config.store_file, "gw-1", 64 << 20)
        self.clock = Clock()
        (self.place,) = places_of(self.config, {"soil": first.bundle}, self.clock)
        self.slots, self.updates = {"soil": Slot(first)}, Updates()
        self.now, self.seq = START, 0
        self.start()

    @property
    def slot(self) -> Slot:
        return self.slots["soil"]

    @property
    def folder(self) -> ReleaseFolder:
        return self.place.folder

    def start(self) -> None:
        self.gateway = Gateway(self.config, self.store, self.now, slots=self.slots)
        self.swaps = Swaps(self.slots, [self.place], self.updates, self.config.windows.seconds, self.gateway.models_changed)

    def restart(self) -> None:
        """The process dies, and starts with the same models."""
        self.store.close()
        self.store = Store(self.config.store_file, "gw-1", 64 << 20)
        self.start()

    def speak(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += SECOND
            self.seq += 1
            values, at = {"moisture": 0.3 + self.seq % 7 / 100}, self.now.timestamp()
            items = [message(device, {"seq": self.seq, "boot": "b", "time": at, "values": values}) for device in ("d1", "d2")]
            self.gateway.accept(items, self.now)
            self.turn()

    def turn(self, monotonic: float | None = None) -> None:
        self.swaps.turn(micros(self.now), self.now.timestamp() if monotonic is None else monotonic)
        self.gateway.tick(self.now)

    def offer(self, model: LoadedModel, *, shadow: bool = False) -> None:
        """Makes a model ready, as if it had been fetched."""
        if model.bundle.release is not None:
            self.folder.bundle(model.bundle.release).mkdir(parents=True, exist_ok=True)
        self.updates.ready.append(Candidate(self.place, model, shadow))

    def end(self) -> None:
        self.gateway.flush(self.now + 60 * SECOND)

    def judged(self) -> list[tuple[str, datetime, str]]:
        """Device, window and version of each verdict."""
        return sorted(
            (row["device_id"], row["window_start"], row["model_version"]) for row in rows(self.store, "inferences") if not row.get("shadow")
        )

    def versions(self) -> dict[int, str]:
        """Which version judged the window that begins so many seconds after the start, of the first probe."""
        return {round((window - START) / SECOND): version for device, window, version in self.judged() if device == "d1"}

    def twice_or_never(self) -> dict[tuple[str, int], int]:
        """Windows that have not exactly one verdict."""
        found = Counter((device, round((window - START) / SECOND)) for device, window, _ in self.judged())
        last = self.seq - self.seq % 10
        return {(device, at): found[device, at] for device in ("d1", "d2") for at in range(0, last + 1, 10) if found[device, at] != 1}
