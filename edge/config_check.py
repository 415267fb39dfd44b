"""What must hold between the values of a configuration, beyond their types. Every complaint names its setting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edge.frame import MAX_CHANNEL
from edge.spectrum import time_domain_units
from program.settings import ConfigError, is_local
from schemas.envelope import ID_PATTERN
from schemas.records import Severity

if TYPE_CHECKING:
    from edge.config import Config, Mqtt, Sensors

_TOPIC = re.compile(r"projects/[a-z][a-z0-9:.-]+/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}")


def check(config: Config) -> None:
    """Raises ConfigError."""
    _demand(ID_PATTERN.fullmatch(config.gateway.id), "gateway.id must be letters, digits, dot, dash or underscore, at most 64")
    _demand(
        _TOPIC.fullmatch(config.pubsub.topic), f"pubsub.topic must look like projects/PROJECT/topics/TOPIC, not {config.pubsub.topic!r}"
    )
    _check_numbers(config)
    _check_mqtt(config.mqtt)
    _demand(config.sensors, "sensors: at least one [[sensors]] is needed")
    _check_unique("sensors", [one.name for one in config.sensors])
    _check_unique("models", [one.name for one in config.models])
    for number, model in enumerate(config.models, 1):
        _demand(model.deadband >= 0, f"models[{number}].deadband must not be negative")
    for number, sensors in enumerate(config.sensors, 1):
        _check_sensors(sensors, f"sensors[{number}]", {model.name for model in config.models})


def _check_numbers(config: Config) -> None:
    low = {
        "gateway.heartbeat_seconds": (config.gateway.heartbeat_seconds, 1),
        "windows.seconds": (config.windows.seconds, 1),
        "windows.grace_seconds": (config.windows.grace_seconds, 0),
        "batches.seconds": (config.batches.seconds, 0),
        "batches.max_rows": (config.batches.max_rows, 1),
        "store.max_bytes": (config.store.max_bytes, 16 << 20),
        "mqtt.max_payload_bytes": (config.mqtt.max_payload_bytes, 1),
        "mqtt.max_future_seconds": (config.mqtt.max_future_seconds, 0),
        "mqtt.max_age_seconds": (config.mqtt.max_age_seconds, 1),
        "mqtt.keepalive_seconds": (config.mqtt.keepalive_seconds, 5),
        "mqtt.commit_messages": (config.mqtt.commit_messages, 1),
        "mqtt.commit_milliseconds": (config.mqtt.commit_milliseconds, 0),
        "pubsub.initial_interval": (config.pubsub.initial_interval, 0.01),
        "pubsub.max_interval": (config.pubsub.max_interval, config.pubsub.initial_interval),
        "pubsub.multiplier": (config.pubsub.multiplier, 1.0),
    }
    for name, (value, least) in low.items():
        _demand(value >= least, f"{name} must be at least {least}, not {value}")
    for name, port in (("mqtt.port", config.mqtt.port), ("health.port", config.health.port)):
        _demand(0 <= port < 65536, f"{name} must be 0 to 65535, not {port}")
    _demand(
        config.mqtt.max_payload_bytes <= 1 << 20, f"mqtt.max_payload_bytes must be at most {1 << 20}, not {config.mqtt.max_payload_bytes}"
    )
    _demand(config.batches.max_rows <= 100_000, f"batches.max_rows must be at most 100000, not {config.batches.max_rows}")


def _check_mqtt(mqtt: Mqtt) -> None:
    _demand(mqtt.topic.split("/").count("+") == 1 and "#" not in mqtt.topic, "mqtt.topic must hold one `+`, the device, and no `#`")
    files = {"tls_ca": mqtt.tls_ca, "tls_certificate": mqtt.tls_certificate, "tls_key": mqtt.tls_key}
    given = [name for name, file in files.items() if file]
    _demand(len(given) in (0, 3), f"mqtt: TLS needs tls_ca, tls_certificate and tls_key; given: {', '.join(given)}")
    _demand(given or is_local(mqtt.host), f"mqtt.host {mqtt.host} is another machine: set mqtt.tls_ca, tls_certificate and tls_key")
    for name, file in files.items():
        _demand(file is None or file.is_file(), f"mqtt.{name}: there is no file {file}")


def _check_sensors(sensors: Sensors, where: str, models: set[str]) -> None:
    _demand(sensors.devices, f"{where}.devices must name at least one device or pattern")
    _demand(sensors.channels or sensors.frames, f"{where}.channels is missing, or {where}.frames: one of them must name a channel")
    _check_frames(sensors, where)
    _demand(sensors.model is None or sensors.model in models, f"{where}.model {sensors.model!r} is not in [[models]]")
    _demand(1 <= sensors.hold_seconds <= 3600, f"{where}.hold_seconds must be 1 to 3600, not {sensors.hold_seconds}")
    for channel, deadband in sensors.deadband.items():
        known = f"{where}.channels, nor a level of {where}.frames"
        _demand(channel in sensors.units, f"{where}.deadband.{channel}: {channel!r} is not one of {known}")
        _demand(deadband > 0, f"{where}.deadband.{channel} must be greater than 0, not {deadband}")
    _check_unique(f"{where}.thresholds", [one.name for one in sensors.thresholds])
    for number, one in enumerate(sensors.thresholds, 1):
        at = f"{where}.thresholds[{number}]"
        _demand(
            one.channel in sensors.units,
            f"{at}.channel {one.channel!r} is not one of {where}.channels" + (f", nor a level of {where}.frames" if sensors.frames else ""),
        )
        _demand(one.below is not None or one.above is not None, f"{at} needs below or above")
        _demand(one.hysteresis >= 0, f"{at}.hysteresis must not be negative")
        _demand(one.below is None or one.above is None or one.below < one.above, f"{at}.below must be less than above")
        _demand(one.severity in tuple(Severity), f"{at}.severity must be one of {', '.join(Severity)}, not {one.severity!r}")


def _check_frames(sensors: Sensors, where: str) -> None:
    for channel, unit in sensors.frames.items():
        at = f"{where}.frames.{channel}"
        _demand(
            len(channel) <= MAX_CHANNEL and ID_PATTERN.fullmatch(channel),
            f"{at}: a channel of frames has at most {MAX_CHANNEL} letters, digits, dots, dashes and underscores",
        )
        taken = [name for name in (channel, *time_domain_units(channel, unit)) if name in sensors.channels]
        _demand(not taken, f"{at}: {taken and taken[0]!r} stands in {where}.channels too")


def _check_unique(where: str, names: list[str]) -> None:
    for name in names:
        _demand(names.count(name) == 1, f"{where}: the name {name!r} stands twice")


def _demand(held: object, otherwise: str) -> None:
    if not held:
        raise ConfigError(otherwise)
