"""Takes days of probes through gateways' own code, in simulated time, into export files, with releases as each gateway finds them.

A gateway asks for releases once a day, and swaps models while it runs; what it runs is on its disk from one stretch to the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from edge.config import load
from edge.gateway import Gateway, MqttMessage
from edge.models.bundles import bundles_of
from edge.releases.child import refresh
from edge.releases.loading import open_slot, places_of
from edge.releases.request import Request
from edge.releases.swaps import Swaps
from edge.releases.updates import ModelUpdates
from edge.store.store import Store
from edge.uplink.export import export
from edge.uplink.signer import signing
from lab.acts.gateways import BUNDLES, TOPIC
from lab.acts.signatures import LabKeys
from lab.loop.world import ProbeSeason
from lab.world import field
from program.child import ChildFailed
from releases.error import ReleaseError
from schemas.envelope import micros

_DAY = timedelta(days=1)

_SETTINGS = """\
[gateway]
id = "{gateway_id}"
state_dir = "{state}"
heartbeat_seconds = 86400

[mqtt]
host = "127.0.0.1"
topic = "{topic}"

[windows]
seconds = 3600
grace_seconds = 60

[batches]
seconds = 86400

[uplink]
kind = "pubsub"
topic = "{pubsub_topic}"

[health]
port = 0

[[sensors]]
name = "soil"
devices = ["soil-*"]
channels = {{ moisture = "m3/m3", temperature = "degC" }}
model = "soil"

[[models]]
name = "soil"
bundle = "{bundles}/soil"

[releases]
source = "{published}"
root = "{root}"
poll_seconds = 86400
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Says what a gateway is to live through: these probes, from the end of one day of the season to the end of another."""

    directory: Path
    export: Path
    gateway_id: str
    probes: Sequence[ProbeSeason]
    first_day: int
    last_day: int
    published: Path
    root: Path


@dataclass(frozen=True, slots=True)
class Lived:
    """Holds device and number of each reading that was acknowledged, and why releases could not be had."""

    keys: set[tuple[str, int]]
    faults: tuple[str, ...]


def live(task: Task) -> Lived:
    """Lives through it, and exports."""
    begin = task.probes[0].begin
    messages, keys = _messages(task)
    settings = _settings(task)
    config = load(settings)
    config.gateway.state_dir.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    with closing(Store(config.store_file, config.gateway.id, config.store.max_bytes)) as store:
        started = begin + _DAY * task.first_day
        clock = _Clock(started)
        [place] = places_of(config, bundles_of(config), clock.seconds)
        slots = {place.name: open_slot(config, place, _unusable)}
        gateway = Gateway(config, store, started, slots=slots)
        updates = ModelUpdates(
            config,
            [place],
            {place.name: slots[place.name].in_force.bundle.release},
            _unusable,
            Random(0),
            ask=clock.ask(faults),
            clock=clock.seconds,
        )
        swaps = Swaps(slots, [place], updates, config.windows.seconds, gateway.models_changed)
        for day in range(task.first_day, task.last_day):
            updates.look()
            swaps.turn(micros(clock.now), clock.seconds())
            clock.now = begin + _DAY * (day + 1)
            gateway.accept(messages[day], clock.now)
            gateway.tick(clock.now + timedelta(minutes=2))
            swaps.turn(micros(clock.now), clock.seconds())
        gateway.flush(gateway.end_of_windows(clock.now + timedelta(minutes=3)))
        export(store, task.export, signing(config.signing_keys))
        store.confirm([batch.key for batch in store.pending(1_000_000)])
        updates.stop()
        for slot in slots.values():
            for model in slot.loaded:
                model.close()
    return Lived(keys, tuple(dict.fromkeys(faults)))


@dataclass(slots=True)
class _Clock:
    """Is the simulated time of a gateway, and asks for releases as of it."""

    now: datetime

    def seconds(self) -> float:
        return self.now.timestamp()

    def ask(self, faults: list[str]) -> Callable[[Request], str]:
        """Returns what asks in this process; why it got nothing is added to `faults`."""

        def asked(request: Request) -> str:
            try:
                return str(refresh(request, self.now))
            except ReleaseError as error:
                faults.append(str(error))
                raise ChildFailed(str(error)) from error

        return asked


def _messages(task: Task) -> tuple[Mapping[int, list[MqttMessage]], set[tuple[str, int]]]:
    """Returns the messages of each day in the order of time, and their keys."""
    timed: dict[int, list[tuple[datetime, MqttMessage]]] = defaultdict(list)
    keys = set()
    for each in task.probes:
        topic = field.topic(task.gateway_id, each.probe.device_id)
        for time, seq, payload in each.messages(task.first_day, task.last_day):
            timed[(time - each.begin).days].append((time, MqttMessage(topic, payload)))
            keys.add((each.probe.device_id, seq))
    return defaultdict(
        list, {day: [message for _, message in sorted(found, key=lambda pair: pair[0])] for day, found in timed.items()}
    ), keys


def _settings(task: Task) -> Path:
    file = task.directory / f"{task.gateway_id}.toml"
    text = _SETTINGS.format(
        gateway_id=task.gateway_id,
        state=task.directory / task.gateway_id,
        topic=field.topic(task.gateway_id, "+"),
        pubsub_topic=TOPIC,
        bundles=BUNDLES,
        published=task.published,
        root=task.root,
    )
    file.write_text(text + LabKeys(task.directory).settings(task.gateway_id))
    return file


def _unusable(name: str, error: Exception) -> None:
    raise error
