"""`tinybeam lab up`: the live path until Ctrl-C, and what one can do with it meanwhile."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from keys.holder import Role
from lab.acts import history_act, live_act
from lab.acts.gateways import ALERTS_TOPIC, SUBSCRIPTION, TOPIC
from lab.acts.live import LivePath
from lab.acts.live_page import LivePage
from lab.console import Console
from lab.folder import emptied
from lab.services.farm import HOST, Farm
from lab.services.stack import StartFailed, Warehouse
from lab.world.device import SimulatedDevice
from lab.world.sensors import AttemptLog


def run(directory: Path, parts: str, console: Console) -> None:
    """Runs the live path. Ends with KeyboardInterrupt, or StartFailed when a process ends by itself."""
    with Warehouse(emptied(directory)) as warehouse:
        console.title("A season of history")
        history = history_act.run(directory, warehouse, console)
        console.title("The live path; Ctrl-C ends it")
        begin = datetime.now(UTC)
        with (
            LivePage(directory, warehouse) as page,
            LivePath(directory, warehouse, parts, registry=history.registry) as path,
            live_act.sensors(history, path, AttemptLog()),
        ):
            for line in _endpoints(path, warehouse, history.devices[0]):
                console.show(line)
            live_act.await_first_heartbeats(history.reconciliation, begin, console)
            console.status("the live page asks the warehouse for the first time")
            page.look()
            console.show(f"Open in a browser, and leave it open:   {page.url}\n")
            while not (ended := path.ended()):
                time.sleep(0.5)
            raise StartFailed(f"{', '.join(ended)} ended; the logs in {directory} say why")


def publish_command(farm: Farm, port: int, device: SimulatedDevice) -> list[str]:
    """Returns the command by which one publishes a reading under the name of a device, beside it."""
    own = str(farm.identity(device.device_id, Role.SENSOR))
    shown = ["--cafile", str(farm.trusted), "--cert", own, "--key", own]
    reading = '{"values": {"moisture": 0.21, "temperature": 17.5}}'
    return ["mosquitto_pub", "-h", HOST, "-p", str(port), *shown, "-q", "1", "-t", device.topic, "-m", reading]


def _endpoints(path: LivePath, warehouse: Warehouse, device: SimulatedDevice) -> Iterator[str]:
    tinybeam = Path(sys.executable).with_name("tinybeam")
    first = next(iter(path.gateways.values()))
    yield f"MQTT        127.0.0.1:{path.broker.port} ({path.broker.version})"
    yield f"Pub/Sub     {path.pubsub.address} ({path.pubsub.version}), {TOPIC}, {SUBSCRIPTION}"
    yield f"warehouse   {warehouse.rest_url}, storage {warehouse.grpc_address} ({warehouse.version}), project {warehouse.project}"
    for gateway in path.gateways.values():
        yield f"{gateway.gateway_id}   http://127.0.0.1:{gateway.ports.page} to look at, settings {gateway.settings}"
        yield f"            http://127.0.0.1:{gateway.ports.health}/metrics and /healthz"
    yield f"alerts      {ALERTS_TOPIC}, printed by the notifier in {path.notifier.log}"
    yield "\nWho comes to the broker shows a certificate of the farm, and writes under its name alone. Try in another terminal:\n"
    yield f"  {shlex.join(publish_command(path.farm, path.broker.port, device))}"
    yield f"  BIGQUERY_EMULATOR_HOST={warehouse.rest_url} {tinybeam} sql query driest_fields --project {warehouse.project}"
    yield f"  BIGQUERY_EMULATOR_HOST={warehouse.rest_url} {tinybeam} sql query data_quality --project {warehouse.project}"
    yield f"  curl http://127.0.0.1:{first.ports.health}/metrics\n"
