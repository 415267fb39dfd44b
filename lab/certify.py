"""Takes a recorded day three ways into three warehouses, and certifies that they hold the same.

Streaming, with the pipeline killed in mid-hour and started anew; batch mode from the gateways' export files; batch mode from the archive
that the streaming pipeline kept.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
from google.cloud import bigquery
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.types import PubsubMessage

from lab.acts.gateways import SUBSCRIPTION, TOPIC
from lab.acts.recorded_day import Message, RecordedDay, Recording, record
from lab.console import Console
from lab.folder import emptied
from lab.services.child import Child
from lab.services.stack import PubSub, Warehouse
from lab.services.template import from_template
from program.child import python_module
from schemas.datasets import Datasets
from schemas.envelope import entries
from schemas.registry import Registry
from schemas.warehouse import DATASET
from sql.certify import report
from sql.certify.comparison import compare
from sql.certify.relations import RELATIONS
from sql.certify.warehouse import Warehouse as CertifiedWarehouse
from sql.registry import load as load_registry
from sql.service import Target, open_client

STREAMED, LOADED, REBUILT = "certify-streamed", "certify-loaded", "certify-rebuilt"
"""The projects: what streaming wrote, what batch mode loaded from export files, and what it built anew from the archive."""
DIRECT = ("--runner=DirectRunner",)
"""The flags of the engine that runs everywhere."""
_QUIET_SECONDS = 10.0
"""How long nothing may arrive until all has."""
_LOAD_SECONDS = 600.0
_ARRIVAL_SECONDS = 900.0
_COUNTS = ("batches_v1", "summaries_v1", "inferences_v1", "events_v1", "heartbeats_v1", "rejects_v1", "alerts_v1")


@dataclass(frozen=True, slots=True)
class Place:
    """Holds where it happens, and by what: the folder of logs, the warehouse, a client for each project, the registry's file, and the flag
    that names the pipeline's key.
    """

    directory: Path
    warehouse: Warehouse
    clients: Mapping[str, bigquery.Client]
    registry: Path
    signatures: str

    def archive(self, project: str) -> Path:
        """Returns where streaming into a project keeps what came."""
        return self.directory / f"{project}-archive"


def run(directory: Path, parts: str, recorded: RecordedDay, console: Console) -> frozenset[str]:
    """Runs it all; logs are in `directory`. Returns the tables and views that differ. Raises StartFailed."""
    recording = record(emptied(directory), recorded)
    console.log(f"recorded {len(recording.before) + len(recording.after)} messages of {recorded.hours} hours with seed {recorded.seed}")
    with Warehouse(from_template(directory, STREAMED, LOADED, REBUILT), STREAMED) as warehouse:
        clients = {project: client_of(warehouse, project) for project in (STREAMED, LOADED, REBUILT)}
        place = Place(directory, warehouse, clients, recording.registry, recording.signatures)
        for client in clients.values():
            load_registry(client, Registry.load(place.registry))
        stream(place, STREAMED, recording, parts, console)
        recompute(place, STREAMED)
        for project, folder in ((LOADED, recording.files), (REBUILT, place.archive(STREAMED))):
            load(place, project, folder)
            console.log(f"{project} is loaded from {folder.name}")
        return frozenset().union(*(certify(place.clients, STREAMED, other, console) for other in (LOADED, REBUILT)))


def stream(  # noqa: PLR0913 - what the day goes through
    place: Place, project: str, recording: Recording, parts: str, console: Console, engine: Sequence[str] = DIRECT
) -> None:
    """Publishes the day; when its first part has arrived the pipeline is killed, and another goes on."""
    with PubSub(place.directory, parts) as pubsub:
        pubsub.create(TOPIC, SUBSCRIPTION)
        batches: set[tuple[str, ...]] = set()
        for messages, end in ((recording.before, Child.kill), (recording.after, Child.stop)):
            with _pipeline(place, project, pubsub, engine) as pipeline:
                _publish(pubsub, messages)
                batches |= {name(message) for message in messages if message.sound}
                pipeline.wait_until(_arrived(place.clients[project], len(batches)), "done with what was published", _ARRIVAL_SECONDS)
                pipeline.wait_until(_settled(place.clients[project], place.archive(project)), "quiet", _ARRIVAL_SECONDS)
                end(pipeline)
            console.log(f"streamed {len(messages)} messages; then came the {end.__name__} of the pipeline")


def _pipeline(place: Place, project: str, pubsub: PubSub, engine: Sequence[str]) -> Child:
    flags = [f"--project={project}", *engine, f"--registry={place.registry}", f"--input_subscription={SUBSCRIPTION}"]
    command = python_module(
        "pipeline", *flags, place.signatures, "--early_seconds=5", f"--archive={place.archive(project)}", "--archive_every=5s"
    )
    environment = {**place.warehouse.environment, "PUBSUB_EMULATOR_HOST": pubsub.address}
    return Child("pipeline", command, place.directory / f"{project}.log", environment)


def _publish(pubsub: PubSub, messages: tuple[Message, ...]) -> None:
    with grpc.insecure_channel(pubsub.address) as channel:
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        for first in range(0, len(messages), 100):
            part = [PubsubMessage(data=message.body, attributes=message.attributes) for message in messages[first : first + 100]]
            publisher.publish(topic=TOPIC, messages=part)


def name(message: Message) -> tuple[str, ...]:
    return tuple(message.attributes[name] for name in ("gateway_id", "epoch", "seq"))


def _arrived(client: bigquery.Client, batches: int) -> Callable[[], bool]:
    sql = f"select count(distinct batch_id) as total from {DATASET}.batches_v1"
    return lambda: _pause() and next(row.total for row in client.query_and_wait(sql)) >= batches


def _settled(client: bigquery.Client, archive: Path) -> Callable[[], bool]:
    """Returns whether nothing was added for a while, to any table and to the archive."""
    sql = " union all ".join(f"select '{table}' as name, count(*) as total from {DATASET}.{table}" for table in _COUNTS)
    last: list[tuple[float, object]] = [(time.monotonic(), None)]

    def settled() -> bool:
        _pause()
        found = sorted(tuple(row) for row in client.query_and_wait(sql)), _archived(archive)
        if found != last[0][1]:
            last[0] = time.monotonic(), found
        return time.monotonic() - last[0][0] > _QUIET_SECONDS

    return settled


def _archived(folder: Path) -> int:
    """Counts the different entries of the archive; a file that is being gathered is looked at the next time."""
    found = set()
    for path in folder.rglob("*.tbb"):
        try:
            found |= {str(each) for each in entries(io.BytesIO(path.read_bytes()))}
        except FileNotFoundError:
            continue
    return len(found)


def _pause() -> bool:
    time.sleep(1.0)
    return True


def client_of(warehouse: Warehouse, project: str) -> bigquery.Client:
    return open_client(Target(project, datasets=Datasets.of_environment()), warehouse.rest_url)


def recompute(place: Place, project: str) -> None:
    """Makes the rollups of a streamed warehouse what all its facts say; batch runs end with that themselves."""
    command = python_module("tinybeam", "sql", "recompute", f"--project={project}")
    with Child("recompute", command, place.directory / "recompute.log", place.warehouse.environment) as recompute:
        recompute.wait_until_done(_LOAD_SECONDS)


def load(place: Place, project: str, folder: Path, engine: Sequence[str] = DIRECT) -> None:
    """Loads the export files of a folder."""
    flags = ["--mode=batch", *engine, f"--input={folder}", f"--project={project}", f"--registry={place.registry}"]
    command = python_module("pipeline", *flags, place.signatures)
    with Child("pipeline", command, place.directory / f"{project}.log", place.warehouse.environment) as pipeline:
        pipeline.wait_until_done(_LOAD_SECONDS)


def certify(clients: Mapping[str, bigquery.Client], a: str, b: str, console: Console) -> set[str]:
    """Shows how two projects compare. Returns the tables and views that differ."""
    console.title(f"{a} and {b}")
    sides = [CertifiedWarehouse(clients[project], project, Datasets.of_environment()) for project in (a, b)]
    comparisons = [compare(relation, *sides) for relation in RELATIONS]
    console.show("\n".join(map(report.line, comparisons)))
    console.show(report.verdict(comparisons))
    return {comparison.relation.name for comparison in comparisons if not comparison.equal}
