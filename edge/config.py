"""Reads the gateway's configuration: one TOML file becomes one frozen tree, wholly checked before any thread or connection.

Every setting is declared here once: type, constraints, default and description. `edge.config_check` has what must hold between tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from edge import config_check
from edge.frame import MAX_CHANNEL
from edge.spectrum import time_domain_units
from edge.uplink.kinds import UplinkSettings
from program import settings
from program.names import Name
from program.patterns import matches
from program.settings import YEAR, ConfigError, Settings, is_local, require, setting
from schemas.records import SCHEMA_VERSION, Severity
from schemas.releases import SCHEMA_VERSIONS, EarlierPipeline

__all__ = ["Config", "ConfigError", "load", "parse"]

HOUR = 3600
DAY = 24 * HOUR
Channel = Annotated[str, Meta(min_length=1)]
FrameChannel = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_CHANNEL - 1}}}$",
        extra={"form": f"a channel of frames: at most {MAX_CHANNEL} letters, digits, dots, dashes and underscores"},
    ),
]
_UNITS = 'a table of channel and unit, such as { moisture = "m3/m3" }'
_DEADBANDS = "a table of channel and number, such as { moisture = 0.01 }"
_WITH_PLUS = "a topic filter with one `+`, the device, and no `#`"


class GatewaySettings(Settings, frozen=True, kw_only=True):
    """Says who this gateway is and where it keeps its data."""

    id: Annotated[Name, setting("Name of the gateway, unique in the fleet; never changed while the store holds data", example="gateway-1")]
    state_dir: Annotated[Path, setting("Folder of the store, on a disk that survives a power cut", example="/var/lib/tinybeam")]
    heartbeat_seconds: Annotated[
        int, setting("Time between two heartbeats, up to a quarter more to go with a batch. News goes within a minute", ge=1, le=DAY)
    ] = 900

    @property
    def longest_heartbeat_seconds(self) -> int:
        """Returns the longest time between two heartbeats, of which the later waits for a batch."""
        return self.heartbeat_seconds + self.heartbeat_seconds // 4


class MqttSettings(Settings, frozen=True, kw_only=True):
    """Names the broker that the sensors speak to, and says what of their messages is believed."""

    host: Annotated[str, setting("Name or address of the broker; another machine needs TLS", min_length=1)] = "127.0.0.1"
    port: Annotated[int, setting("Port of the broker; 8883 is usual for TLS", ge=1, le=65_535)] = 1883
    topic: Annotated[
        str, setting("Topic filter of the readings; the + is the device", pattern=r"^[^+#]*(?<![^/])\+(?![^/])[^+#]*$", form=_WITH_PLUS)
    ] = "sensors/+/readings"
    client_id: Annotated[str, setting("Name under which the broker holds the session. Empty: gateway.id")] = ""
    tls_ca: Annotated[Path | None, setting("Certificate of who signed the broker's certificate", example="ca.pem")] = None
    tls_certificate: Annotated[Path | None, setting("The gateway's own certificate", example="gateway.pem")] = None
    tls_key: Annotated[Path | None, setting("The key of the gateway's certificate, readable by it alone", example="gateway.key")] = None
    max_payload_bytes: Annotated[
        int, setting("A larger message is set aside as a reject that keeps its first 64 KiB", ge=1, le=1 << 20)
    ] = 65_536
    keepalive_seconds: Annotated[int, setting("Longest silence on the connection before it is probed", ge=5, le=65_535)] = 30
    max_future_seconds: Annotated[int, setting("A reading dated later than this from now is set aside", ge=0, le=YEAR)] = 300
    max_age_seconds: Annotated[
        int, setting("A reading older than this is set aside; BigQuery's partitions reach back 1825 days", ge=1, le=1825 * 86_400)
    ] = 1800 * 86_400
    commit_messages: Annotated[int, setting("So many messages share one commit to disk before they are acknowledged", ge=1, le=100_000)] = (
        500
    )
    commit_milliseconds: Annotated[int, setting("Longest wait of a message for the commit that it shares", ge=0, le=60_000)] = 500

    def topic_of(self, device_id: str) -> str:
        """Returns the topic on which a device sends."""
        return self.topic.replace("+", device_id)

    def __post_init__(self) -> None:
        files = {"tls_ca": self.tls_ca, "tls_certificate": self.tls_certificate, "tls_key": self.tls_key}
        present = [name for name, file in files.items() if file]
        require(len(present) in {0, 3}, f"TLS needs tls_ca, tls_certificate and tls_key; given: {', '.join(present)}")
        require(present or is_local(self.host), f"host {self.host} is another machine: set mqtt.tls_ca, tls_certificate and tls_key")

    @property
    def tls(self) -> bool:
        return self.tls_ca is not None


class WindowSettings(Settings, frozen=True, kw_only=True):
    """Sets the tumbling event-time windows that readings are summarised over."""

    seconds: Annotated[int, setting("Length of a window; it divides an hour, for rollups are by the hour", ge=1, le=HOUR)] = 60
    grace_seconds: Annotated[int, setting("Wait of a window for stragglers; later ones come as a late partial summary", ge=0, le=DAY)] = 10

    def __post_init__(self) -> None:
        near = min((length for length in range(1, HOUR + 1) if HOUR % length == 0), key=lambda length: abs(length - self.seconds))
        require(HOUR % self.seconds == 0, f"seconds must divide an hour, as {near} does, not {self.seconds}")


class BatchSettings(Settings, frozen=True, kw_only=True):
    """Sets how rows are cut into batches."""

    seconds: Annotated[int, setting("Least time between two cuts; events do not wait. 0: as windows.seconds", ge=0, le=7 * DAY)] = 900
    max_rows: Annotated[int, setting("Most rows of a batch", ge=1, le=100_000)] = 20_000
    for_pipeline: Annotated[
        EarlierPipeline | None,
        setting(
            "Release of the pipeline, while it is an earlier one than the gateway's: batches are then written as it reads them. "
            "None: the gateway's own",
            example="0.2",
            since="0.3.0",
        ),
    ] = None

    @property
    def schema_version(self) -> str:
        """Returns the version of the records that batches are written in."""
        return SCHEMA_VERSIONS[self.for_pipeline] if self.for_pipeline else SCHEMA_VERSION


class StoreSettings(Settings, frozen=True, kw_only=True):
    """Bounds what the gateway keeps on disk."""

    max_bytes: Annotated[
        int,
        setting(
            "Bound on disk. When it is reached the oldest batches of the lowest priority go, and the ledger says which",
            ge=16 << 20,
            le=1 << 44,
        ),
    ] = 512 << 20


class HealthSettings(Settings, frozen=True, kw_only=True):
    """Sets where /healthz and /metrics are served."""

    host: Annotated[str, setting("Address that it listens at; keep it on this machine", min_length=1)] = "127.0.0.1"
    port: Annotated[int, setting("Port that it listens at, such as 9464. 0: no health server", ge=0, le=65_535)] = 0


class Threshold(Settings, frozen=True, kw_only=True):
    """Raises an event at once when a reading crosses it."""

    name: Annotated[str, setting("Name of the event; unique in its class", min_length=1, example="frost")]
    channel: Annotated[Channel, setting("One of the class's channels", example="temperature")]
    below: Annotated[float | None, setting("The event `low` begins below this", example=1.0)] = None
    above: Annotated[float | None, setting("The event `high` begins above this", example=40.0)] = None
    hysteresis: Annotated[float, setting("The event is over only at below + hysteresis, or above - hysteresis", ge=0)] = 0.0
    severity: Annotated[Severity, setting("How bad it is")] = Severity.WARNING

    def __post_init__(self) -> None:
        require(self.below is not None or self.above is not None, "one of below and above is needed, or both")
        if self.below is not None and self.above is not None:
            require(self.below < self.above, "below must be less than above")
            between = self.above - self.below
            require(
                self.hysteresis <= between,
                f"hysteresis must be at most {between:g}, what is between below and above, not {self.hysteresis}",
            )


class Sensors(Settings, frozen=True, kw_only=True):
    """Describes a class of devices: which they are, what they measure, what is asked of them. The first class whose pattern fits counts."""

    name: Annotated[str, setting("Name of the class, unique in the file", min_length=1, example="soil")]
    devices: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        setting("Names or patterns (*, ?, [a-c]) of its devices", min_length=1, example=["soil-*"]),
    ]
    channels: Annotated[
        Mapping[Channel, str], setting("Channels of readings, with their units", form=_UNITS, example={"moisture": "m3/m3"})
    ] = {}
    frames: Annotated[
        Mapping[FrameChannel, str],
        setting("Channels of frames (raw samples), with the samples' units", form=_UNITS, example={"acceleration": "m/s2"}),
    ] = {}
    model: Annotated[str | None, setting("One of [[models]]; its channels must be among these", example="soil")] = None
    deadband: Annotated[
        Mapping[Channel, Annotated[float, Meta(gt=0)]],
        setting(
            "By channel: windows whose values stay within +-deadband of the mean sent last wait, and are sent as one longer summary. "
            "None: each at once",
            form=_DEADBANDS,
            example={"moisture": 0.005},
        ),
    ] = {}
    hold_seconds: Annotated[int, setting("How long such windows wait at most; never beyond the hour", ge=1, le=HOUR)] = HOUR
    thresholds: tuple[Threshold, ...] = ()

    def __post_init__(self) -> None:
        require(self.channels or self.frames, "channels or frames must name a channel")
        config_check.check_frames(self.channels, self.frames)
        config_check.check_unique("thresholds", [threshold.name for threshold in self.thresholds])
        for channel in self.deadband:
            config_check.check_channel(f"deadband.{channel}", channel, self.units)
        for number, threshold in enumerate(self.thresholds, 1):
            config_check.check_channel(f"thresholds[{number}].channel", threshold.channel, self.units)

    @property
    def units(self) -> Mapping[str, str]:
        """Returns the unit of everything that is summarised: the channels, and the time-domain features of the frames' channels."""
        if not self.frames:
            return self.channels
        units = dict(self.channels)
        for channel, unit in self.frames.items():
            units |= time_domain_units(channel, unit)
        return units


class ModelSettings(Settings, frozen=True, kw_only=True):
    """Names a model bundle that the gateway scores with."""

    name: Annotated[str, setting("Name that classes of sensors use", min_length=1, example="soil")]
    bundle: Annotated[Path, setting("Folder with model.tflite and manifest.json", example="models/soil")]
    deadband: Annotated[
        float,
        setting(
            "An inference of the same label whose score is within +-deadband of the last one sent is not sent, for hold_seconds. 0: each",
            ge=0,
        ),
    ] = 0.0


class Config(Settings, frozen=True, kw_only=True):
    """Holds the whole file."""

    RENAMED: ClassVar = {"pubsub": 'it is [uplink] with kind = "pubsub"'}

    gateway: GatewaySettings
    mqtt: MqttSettings = MqttSettings()
    windows: WindowSettings = WindowSettings()
    batches: BatchSettings = BatchSettings()
    store: StoreSettings = StoreSettings()
    uplink: Annotated[UplinkSettings, setting("Where batches go", since="0.2.0")]
    health: HealthSettings = HealthSettings()
    sensors: Annotated[tuple[Sensors, ...], Meta(min_length=1)]
    models: tuple[ModelSettings, ...] = ()

    def __post_init__(self) -> None:
        models = [model.name for model in self.models]
        config_check.check_unique("sensors", [sensors.name for sensors in self.sensors])
        config_check.check_unique("models", models)
        config_check.check_models([sensors.model for sensors in self.sensors], models)
        config_check.check_patterns([sensors.devices for sensors in self.sensors])

    def sensors_of(self, device_id: str) -> Sensors | None:
        """Returns the first class that one of its patterns puts the device in."""
        return next((sensors for sensors in self.sensors if matches(device_id, sensors.devices)), None)

    @property
    def files(self) -> Mapping[str, Path | None]:
        """What the settings name and must be there, by setting."""
        return {f"mqtt.{name}": getattr(self.mqtt, name) for name in ("tls_ca", "tls_certificate", "tls_key")}

    @property
    def batch_seconds(self) -> int:
        return self.batches.seconds or self.windows.seconds

    @property
    def store_file(self) -> Path:
        return self.gateway.state_dir / "store.db"


def load(file: Path) -> Config:
    """Reads and checks a file. Raises ConfigError. Relative paths are relative to the file's folder."""
    return parse(settings.read(file), file)


def parse(content: dict[str, Any], file: Path) -> Config:
    """Checks parsed TOML. Raises ConfigError."""
    config = settings.parse(Config, content, file)
    with settings.of_file(file):
        config_check.check_files(config.files)
    return config
