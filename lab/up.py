"""`tinybeam lab up`: the live path until Ctrl-C, and what one can do with it meanwhile."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from lab import demo
from lab.acts.gateways import ALERTS_TOPIC, SUBSCRIPTION, TOPIC
from lab.acts.live import Live
from lab.console import Console
from lab.folder import emptied
from lab.services.stack import StartFailed, Warehouse
from lab.world.sensors import Notebook


def run(directory: Path, parts: str, screen: Console) -> None:
    """Ends with KeyboardInterrupt, or StartFailed when a process ends by itself."""
    with Warehouse(emptied(directory)) as warehouse:
        screen.title("A season of history")
        past = demo.act_one(directory, warehouse, screen)
        screen.title("The live path; Ctrl-C ends it")
        with Live(directory, warehouse, parts, past.registry) as live, demo.sensors(past, live, Notebook()):
            for line in _endpoints(live, warehouse):
                screen.show(line)
            while not (ended := live.ended()):
                time.sleep(0.5)
            raise StartFailed(f"{', '.join(ended)} ended; the logs in {directory} tell why")


def _endpoints(live: Live, warehouse: Warehouse) -> Iterator[str]:
    tinybeam = Path(sys.executable).with_name("tinybeam")
    first = next(iter(live.gateways.values()))
    yield f"MQTT        127.0.0.1:{live.broker.port} ({live.broker.version})"
    yield f"Pub/Sub     {live.pubsub.address} ({live.pubsub.version}), {TOPIC}, {SUBSCRIPTION}"
    yield f"warehouse   {warehouse.rest_url}, storage {warehouse.grpc_address} ({warehouse.version}), project {warehouse.project}"
    for gateway in live.gateways.values():
        yield f"{gateway.gateway_id}   http://127.0.0.1:{gateway.health_port}/metrics and /healthz, settings {gateway.settings}"
    yield f"alerts      {ALERTS_TOPIC}, told by the notifier in {live.notifier.log}"
    yield "\nTry in another terminal:\n"
    yield f"  BIGQUERY_EMULATOR_HOST={warehouse.rest_url} {tinybeam} sql query driest_fields --project {warehouse.project}"
    yield f"  BIGQUERY_EMULATOR_HOST={warehouse.rest_url} {tinybeam} sql query data_quality --project {warehouse.project}"
    yield f"  curl http://127.0.0.1:{first.health_port}/metrics\n"
