"""Asks for releases beside everything else: a thread that has a child fetch them, and starts what is to run, so that a swap takes no time.

Guarantees that the gateway never waits for a source, and that what it is given has met its golden cases where it runs.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from time import monotonic

from edge.config import Config
from edge.models.slot import LoadedModel
from edge.releases.choice import shadow_target, target
from edge.releases.loading import NoteUnusable, Place, configured, load_or_set_aside
from edge.releases.request import Request, request_of
from program import logs
from program.backoff import Backoff
from program.child import ChildFailed, answer

LOOK_SECONDS = 10.0
"""A stick may have brought something, and a model may have failed: so often the folders are looked at."""
CHILD_SECONDS = 1800.0
_AGAIN = Backoff(initial_interval=60.0, max_interval=3600.0)
_FIRST_SECONDS = 60.0
"""The first poll is spread over so long: the power comes back for many gateways at once."""
_SPREAD = 0.25

_log = logs.get(__name__)

Ask = Callable[[Request], str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Is a model that is ready to be swapped in: in force, or in the shadow. None in the shadow: there is to be none."""

    place: Place
    model: LoadedModel | None
    shadow: bool = False

    @property
    def release(self) -> int | None:
        return self.model.bundle.release if self.model else None


class ModelUpdates:
    """Runs from `start` to `stop`. The loop takes candidates, `updates.take()`, and says what runs then, `updates.note(...)`."""

    def __init__(  # noqa: PLR0913 - made in one place
        self,
        config: Config,
        places: Sequence[Place],
        running: Mapping[str, int | None],
        unusable: NoteUnusable,
        rng: Random,
        *,
        ask: Ask | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """`running` are the numbers of the releases that run, by name of [[models]]."""
        self._config, self._places, self._unusable = config, places, unusable
        self._running, self._shadows = dict(running), dict[str, int | None]()
        self._handed = dict[tuple[str, bool], int | None]()
        self._ask, self._clock, self._rng = ask or ask_child, clock, rng
        self._request = request_of(config, tuple(place.folder.model for place in places))
        self._next_poll, self._failures = clock() + rng.random() * _FIRST_SECONDS, 0
        self._ready: queue.SimpleQueue[Candidate] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="releases", daemon=True)

    def start(self) -> None:
        if self._places and self._config.releases.root:
            self._thread.start()

    def stop(self) -> None:
        """Does not wait for a source that does not answer. What is ready and was not taken ends."""
        self._stopping.set()
        for candidate in self.take():
            if candidate.model:
                candidate.model.close()

    def take(self) -> list[Candidate]:
        """Returns what is ready to be swapped in."""
        taken = []
        while not self._ready.empty():
            taken.append(self._ready.get())
        return taken

    def note(self, name: str, running: int | None, *, shadow: bool = False) -> None:
        """Notes what runs now under a name of [[models]]: what should run instead is made ready again."""
        (self._shadows if shadow else self._running)[name] = running
        self._handed.pop((name, shadow), None)

    def look(self) -> None:
        """Does once what the thread does again and again."""
        if self._request and self._clock() >= self._next_poll:
            self._poll(self._request)
        for place in self._places:
            offer, usable = place.folder.offer, place.folder.is_usable
            wanted = target(place.folder.state, offer, usable)
            if self._prepare(place, wanted, self._running.get(place.name), shadow=False) and offer and wanted != offer.release:
                _log.warning("%s: %s is to run and cannot, %s runs instead", place.name, _named(offer.release), _named(wanted))
            if offer:
                self._prepare(place, shadow_target(offer, wanted, usable), self._shadows.get(place.name), shadow=True)

    def _prepare(self, place: Place, wanted: int | None, running: int | None, *, shadow: bool) -> bool:
        """Makes ready what should run and does not. Says whether it did."""
        key = place.name, shadow
        if wanted == running or self._handed.get(key, running) == wanted:
            return False
        if wanted is None:
            model = None if shadow else configured(place, self._unusable)
        elif (model := load_or_set_aside(self._config, place, wanted)) is None:
            return False
        self._handed[key] = wanted
        self._ready.put(Candidate(place, model, shadow))
        return True

    def _poll(self, request: Request) -> None:
        try:
            _log.debug("releases: %s", self._ask(request))
            self._failures = 0
            pause = self._config.releases.poll_seconds * self._rng.uniform(1 - _SPREAD, 1 + _SPREAD)
        except ChildFailed as failure:
            self._failures += 1
            pause = _AGAIN.delay(self._failures, self._rng)
            _log.warning("no releases from %s, what runs stays; again in %.0f s: %s", request.source, pause, failure)
        self._next_poll = self._clock() + pause

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except OSError as fault:
                _log.error("releases: %s", fault)
            self._stopping.wait(LOOK_SECONDS)


def _named(release: int | None) -> str:
    return "the configuration's bundle" if release is None else f"release {release}"


def ask_child(request: Request) -> str:
    """Has a child refresh, and returns what it prints. Raises ChildFailed."""
    return answer("edge.releases.child", request.packed(), seconds=CHILD_SECONDS)
