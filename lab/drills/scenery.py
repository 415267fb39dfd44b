"""Sets what most drills play on: two fields, three probes, two gateways, a day of weather; and what they do with the warehouse."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path

from google.cloud import bigquery

from lab.acts import history
from lab.acts.analyst import fill_anew
from lab.drills import engine
from lab.drills.drill import Ground
from lab.drills.gateway import Pace, SimulatedGateway
from lab.drills.probes import Probe
from lab.drills.stage import Arrivals, Stage, messages
from lab.services.stack import Child, StartFailed
from lab.witness import delivered
from lab.world.named_keys import pipeline_flag
from pipeline.elements import ReceivedMessage
from pipeline.io.warehouse import Warehouse
from program.child import python_module
from schemas.envelope import entry
from schemas.records import Alert
from schemas.registry import FixedRegistry, Registry, RegistrySource
from sql.client import datasets_of

REGISTRY = Path(__file__).with_name("registry.toml")
BEGIN = datetime(2026, 5, 4, tzinfo=UTC)
NORTH, SOUTH = "gateway-north", "gateway-south"
SITES: Mapping[str, str] = {"soil-01": "north-field", "soil-02": "north-field", "soil-03": "south-field"}
TEN_MINUTES = timedelta(minutes=10)
PACE = Pace(window_seconds=600, batch_seconds=600, heartbeat_seconds=600)

STRAIGHT = "straight"
"""The project into which what arrived is loaded once and in order."""
_COMMAND_SECONDS = 300.0


def site_of(device_id: str, _: datetime) -> str:
    return SITES[device_id]


def weather(number: int, frosts: Iterable[tuple[datetime, datetime]] = ()) -> Callable[[datetime], Mapping[str, float]]:
    """Returns what probe `number` measures: mild days, moisture that falls slowly, and frost in the given times."""
    cold = tuple(frosts)

    def values(time: datetime) -> Mapping[str, float]:
        days = (time - BEGIN) / timedelta(days=1)
        temperature = -2.0 if any(begin <= time < end for begin, end in cold) else 14.0 + 6.0 * math.sin(2 * math.pi * (days - 0.3))
        return {"moisture": round(0.28 - 0.004 * days + 0.003 * number, 4), "temperature": round(temperature + 0.1 * number, 2)}

    return values


def probe(number: int, *gateways: str, values: Callable[[datetime], Mapping[str, float] | None] | None = None) -> Probe:
    return Probe(
        device_id=f"soil-{number:02}",
        gateways=gateways,
        values=values or weather(number),
        interval=TEN_MINUTES,
        offset=timedelta(seconds=60 + 7 * number),
    )


def stage(ground: Ground, *probes: Probe, pace: Pace = PACE) -> Stage:
    """Returns a stage with the gateways that hear these probes."""
    names = sorted({name for each in probes for name in each.gateways})
    gateways = {name: SimulatedGateway(name, ground.directory, pace) for name in names}
    return Stage(gateways, probes, progress=lambda now: ground.console.status(f"gateways work on {now:%d %B, %H:%M}"))


def stream(ground: Ground, arrivals: Arrivals, registry: RegistrySource | None = None) -> list[Alert]:
    """Streams what arrived into the warehouse, by a pipeline that starts with the first moment. Returns what was notified."""
    source = registry or FixedRegistry(Registry.load(REGISTRY))
    result = engine.stream(arrivals, source, lambda now: ground.console.status(f"streams what arrived by {now:%d %B, %H:%M}"))
    ground.console.log(f"streamed {len(messages(arrivals))} batches, {len(result.notifications)} notifications")
    engine.load(
        Warehouse(ground.warehouse.project, datasets_of(ground.client), ground.warehouse.rest_url, ground.warehouse.grpc_address),
        result.rows,
    )
    return list(result.notifications)


def load(ground: Ground, name: str, batches: Sequence[ReceivedMessage], registry: Path = REGISTRY) -> None:
    """Loads batches by a run of the pipeline in batch mode, from an export file, in this order. Raises StartFailed."""
    folder = ground.directory / name
    folder.mkdir()
    with (folder / "batches.tbb").open("wb") as file:
        file.writelines(entry(batch.attributes, batch.body) for batch in batches)
    history.load(folder, ground.warehouse, ground.directory / f"{name}.log", registry, pipeline_flag(ground.directory))
    ground.console.log(f"loaded {len(batches)} batches: {name}")


def run(ground: Ground, name: str, *words: str) -> None:
    """Runs a command of `tinybeam` on the drill's warehouse, as a user does. Raises StartFailed."""
    with Child(name, python_module("tinybeam", *words), ground.directory / f"{name}.log", ground.warehouse.environment) as child:
        child.wait_until_done(_COMMAND_SECONDS)
    ground.console.log(f"ran tinybeam {' '.join(words[:2])}")


def prepared(client: bigquery.Client) -> None:
    """Empties the tables, as a drill may have been there before, and loads the registry."""
    fill_anew(client, Registry.load(REGISTRY))


def recompute(ground: Ground) -> None:
    """Lets the warehouse derive rollups from the facts. Raises StartFailed."""
    run(ground, "recompute", "sql", "recompute")


def is_certified(ground: Ground, arrivals: Arrivals) -> bool:
    """Loads what arrived once and in order into a second warehouse, and returns whether `tinybeam certify` finds the two alike."""
    other = copy(ground.warehouse)
    other.project = STRAIGHT
    straight = Ground(other, delivered.connect(other), ground.directory, ground.console)
    prepared(straight.client)
    load(straight, STRAIGHT, messages(arrivals))
    recompute(straight)
    try:
        run(ground, "certify", "certify", ground.warehouse.project, STRAIGHT)
    except StartFailed:
        log = ground.directory / "certify.log"
        ground.console.show("\n".join(_unequal(log.read_text())))
        ground.console.log(f"not as loaded once and in order: {log}")
        return False
    return True


def _unequal(certificate: str) -> list[str]:
    """Returns what a certificate says of the tables and views that differ, or all of it if it is none."""
    compared = certificate.partition("not compared:")[0]
    return [line for line in compared.splitlines() if ", equal" not in line]


def alerts_of(ground: Ground, rule: str) -> list[Mapping[str, object]]:
    """Returns every row of alerts of a rule, in the order in which they were made."""
    sql = f"select * from tinybeam.alerts_v1 where opened_time >= '2000-01-01' and rule = '{rule}' order by as_of, revision"
    return [dict(row) for row in ground.client.query_and_wait(sql)]


def recomputed_windows(ground: Ground) -> int:
    """Counts the rows that recomputations wrote so far."""
    sql = "select count(*) as total from tinybeam.site_windows_v1 where window_start >= '2000-01-01' and timing = 'recomputed'"
    return int(next(iter(ground.client.query_and_wait(sql))).total)
