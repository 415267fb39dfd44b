"""Reads the gateway's configuration: one TOML file becomes one frozen tree, wholly checked before any thread or connection.

Every setting is declared once, in `edge.settings`; `edge.config_check` has what must hold between tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from edge import config_check
from edge.settings import presets
from edge.settings.batches import BatchSettings, StoreSettings
from edge.settings.gateway import GatewaySettings
from edge.settings.health import HealthSettings
from edge.settings.http import HttpSettings
from edge.settings.limits import LimitSettings
from edge.settings.models import ModelSettings
from edge.settings.mqtt import MqttSettings
from edge.settings.page import PageSettings
from edge.settings.releases import ReleaseSettings
from edge.settings.renewal import RenewalSettings
from edge.settings.samples import SampleSettings
from edge.settings.sensors import Sensors
from edge.settings.signatures import SignatureSettings, SigningKeys
from edge.settings.topics import TopicPattern
from edge.settings.windows import WindowSettings
from edge.uplink.kinds import UplinkSettings
from program import settings
from program.patterns import matches
from program.settings import ConfigError, Settings, require, setting

_SECRETS = ("tls_key", "signatures.key_file", "password_file", "hash_key_file", "tokens_file", "encryption_key_file")

__all__ = ["Config", "ConfigError", "load", "parse"]


class Config(Settings, frozen=True, kw_only=True):
    """Holds the whole file."""

    RENAMED: ClassVar = {"pubsub": 'it is [uplink] with kind = "pubsub"'}

    gateway: GatewaySettings
    mqtt: MqttSettings = MqttSettings()
    renewal: Annotated[RenewalSettings, setting("Who renews the gateway's certificate", since="0.3.0")] = RenewalSettings()
    http: Annotated[HttpSettings, setting("Readings over HTTP, beside those over MQTT", since="0.3.0")] = HttpSettings()
    windows: WindowSettings = WindowSettings()
    batches: BatchSettings = BatchSettings()
    store: StoreSettings = StoreSettings()
    limits: LimitSettings = LimitSettings()
    uplink: Annotated[UplinkSettings, setting("Where batches go", since="0.2.0")]
    signatures: Annotated[SignatureSettings, setting("Keys by which batches are signed", since="0.3.0")] = SignatureSettings()
    samples: Annotated[SampleSettings, setting("Windows that go up to be learned from", since="0.3.0")] = SampleSettings()
    health: HealthSettings = HealthSettings()
    page: Annotated[PageSettings, setting("The gateway's own page, for people", since="0.3.0")] = PageSettings()
    sensors: Annotated[tuple[Sensors, ...], Meta(min_length=1)]
    models: tuple[ModelSettings, ...] = ()
    releases: Annotated[
        ReleaseSettings, setting("Signed releases of models, which take the place of what [[models]] names", since="0.3.0")
    ] = ReleaseSettings()

    @classmethod
    def completed(cls, content: dict[str, Any]) -> dict[str, Any]:
        return presets.completed(content)

    def __post_init__(self) -> None:
        config_check.check_renewal(self.renewal, self.mqtt)
        models = [model.name for model in self.models]
        config_check.check_unique("sensors", [sensors.name for sensors in self.sensors])
        config_check.check_unique("models", models)
        config_check.check_models([sensors.model for sensors in self.sensors], models)
        config_check.check_patterns([sensors.devices for sensors in self.sensors])
        can_sample = not (self.samples.max_bytes_per_day and self.batches.for_pipeline)
        require(can_sample, "samples.max_bytes_per_day must be 0 while batches.for_pipeline is set: an earlier pipeline takes no samples")
        has_key = not self.signatures.pipeline_key_file or self.signing_keys
        require(has_key, "signatures.pipeline_key_file needs the gateway's own key, signatures.key_file or mqtt.tls_key")

    def sensors_of(self, device_id: str) -> Sensors | None:
        """Returns the first class that one of its patterns puts the device in."""
        return next((sensors for sensors in self.sensors if matches(device_id, sensors.devices)), None)

    def topics_of(self, sensors: Sensors) -> Sequence[TopicPattern]:
        """Returns the topics that a class speaks on."""
        payload = sensors.payload
        if payload is None or not payload.topics:
            return [TopicPattern.parse("mqtt.topic", self.mqtt.topic)]
        return [TopicPattern.parse("topics", topic, needs_device=payload.device is None) for topic in payload.topics]

    @property
    def subscriptions(self) -> list[str]:
        """Returns the topic filters of all classes, each once."""
        return list(dict.fromkeys(topic.filter for sensors in self.sensors for topic in self.topics_of(sensors)))

    def topic_of(self, device_id: str) -> str:
        """Returns a topic on which a device may send."""
        sensors = self.sensors_of(device_id) or self.sensors[0]
        name = device_id.removeprefix(sensors.payload.device_prefix) if sensors.payload else device_id
        return self.topics_of(sensors)[0].topic_of(name)

    @property
    def secret_files(self) -> Mapping[str, Path]:
        """What the settings name and nobody else may read, by setting."""
        return {name: file for name, file in self.files.items() if file and name.endswith(_SECRETS)}

    @property
    def files(self) -> Mapping[str, Path | None]:
        """What the settings name and must be there, by setting."""
        of_broker = {f"mqtt.{name}": getattr(self.mqtt, name) for name in ("tls_ca", "tls_certificate", "tls_key", "password_file")}
        of_http = {f"http.{name}": getattr(self.http, name) for name in ("tokens_file", "tls_certificate", "tls_key", "tls_client_ca")}
        of_page = {f"page.{name}": getattr(self.page, name) for name in ("registry_file", "password_file", "tls_certificate", "tls_key")}
        of_classes = {
            f"sensors[{number}].payload.hash_key_file": sensors.payload.hash_key_file
            for number, sensors in enumerate(self.sensors, 1)
            if sensors.payload
        }
        of_signatures = {f"signatures.{name}": getattr(self.signatures, name) for name in ("pipeline_key_file", "key_file")}
        of_store = {"store.encryption_key_file": self.store.encryption_key_file}
        return of_broker | of_http | of_page | of_classes | of_signatures | of_store

    @property
    def signing_keys(self) -> SigningKeys | None:
        """Returns the keys by which batches are signed; None if they are not."""
        own, pipeline = self.signatures.key_file or self.mqtt.tls_key, self.signatures.pipeline_key_file
        return SigningKeys(self.gateway.id, own, pipeline) if own and pipeline else None

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
