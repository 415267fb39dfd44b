"""Lists the gateways of the lab and writes their settings, as a user would write them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from edge.config import load
from edge.store.store import Ledger, Store
from keys.holder import Role
from lab.acts.signatures import LabKeys
from lab.services.child import REPOSITORY
from lab.services.farm import Farm
from lab.world import field, machine

GATEWAYS = (*field.GATEWAYS, machine.GATEWAY)
BUNDLES = REPOSITORY / "models"
PROJECT = "demo-project"
TOPIC = f"projects/{PROJECT}/topics/telemetry"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/pipeline"
ALERTS_TOPIC = f"projects/{PROJECT}/topics/alerts"
ALERTS_SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/notify"

_SETTINGS = """\
# Written by the lab. `tinybeam edge validate --config {file}` explains what is wrong with a changed one.
[gateway]
id = "{gateway_id}"
state_dir = "{state}"
heartbeat_seconds = {intervals.heartbeat_seconds}

[mqtt]
host = "127.0.0.1"
port = {ports.mqtt}
topic = "{topic}"
client_id = "{gateway_id}"
tls_ca = "{trusted}"
tls_certificate = "{identity}"
tls_key = "{identity}"

[windows]
seconds = {intervals.window_seconds}
grace_seconds = {intervals.grace_seconds}

[batches]
seconds = {intervals.batch_seconds}

[uplink]
kind = "pubsub"
topic = "{pubsub_topic}"

[uplink.retry]
initial_interval = 0.5
max_interval = 5.0
multiplier = 2.0

[health]
port = {ports.health}

[page]
port = {ports.page}
{names}
"""

_SOIL = """
[[sensors]]
name = "soil"
devices = ["soil-*"]
channels = {{ moisture = "m3/m3", temperature = "degC" }}
model = "soil"

[[sensors.thresholds]]
name = "frost"
channel = "temperature"
below = 1.0
hysteresis = 1.0
severity = "warning"

[[sensors.thresholds]]
name = "heat"
channel = "temperature"
above = 32.0
hysteresis = 2.0
severity = "warning"

[[models]]
name = "soil"
bundle = "{bundles}/soil"
"""

_VIBRATION = """
[[sensors]]
name = "machine"
devices = ["machine-*"]
frames = {{ acceleration = "m/s2" }}
model = "vibration"

[[models]]
name = "vibration"
bundle = "{bundles}/vibration"
"""


@dataclass(frozen=True, slots=True)
class Intervals:
    """Holds the intervals at which a gateway works, in seconds."""

    window_seconds: int
    grace_seconds: int
    batch_seconds: int
    heartbeat_seconds: int


HISTORY = Intervals(window_seconds=3600, grace_seconds=60, batch_seconds=86_400, heartbeat_seconds=86_400)
LIVE = Intervals(window_seconds=5, grace_seconds=1, batch_seconds=5, heartbeat_seconds=5)


@dataclass(frozen=True, slots=True)
class Ports:
    """Holds where a gateway finds its broker, and where it listens; 0 is nowhere."""

    mqtt: int = 8883
    health: int = 0
    page: int = 0


def write_settings(
    directory: Path, gateway_id: str, intervals: Intervals, ports: Ports | None = None, registry: Path | None = None
) -> Path:
    """Writes the gateway's TOML file into `directory`, where its state and the keys will be too; its page has the registry's names."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{gateway_id}.toml"
    farm = Farm(directory)
    sensors = _VIBRATION if gateway_id == machine.GATEWAY else _SOIL
    text = (_SETTINGS + sensors).format(
        file=file,
        gateway_id=gateway_id,
        state=directory / gateway_id,
        intervals=intervals,
        ports=ports or Ports(),
        names=f'registry_file = "{registry}"' if registry else "",
        trusted=farm.trusted,
        identity=farm.identity(gateway_id, Role.GATEWAY),
        topic=field.topic(gateway_id, "+"),
        pubsub_topic=TOPIC,
        bundles=BUNDLES,
    )
    file.write_text(text + LabKeys(directory).settings(gateway_id))
    return file


def ledger(settings: Path) -> Ledger:
    """Reads the ledger of a gateway that is not running."""
    config = load(settings)
    with closing(Store(config.store_file, config.gateway.id, config.store.max_bytes)) as store:
        return store.ledger()
