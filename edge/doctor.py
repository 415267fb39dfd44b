"""Examines what a gateway needs: one finding a line, each with what to do about it. Changes nothing."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from edge import clock
from edge.config import Config, ConfigError, load
from edge.intake import tls
from edge.models.bundle import BundleError
from edge.models.scorer import Scorer, ScorerFailed
from edge.run import bundles_of
from edge.store.store import Store, StoreError, StoreLocked
from schemas.records import TimeQuality

OK, WARN, FAIL = "ok", "warn", "fail"
_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """`status` is ok, warn or fail; `advice` is what to do, empty if nothing."""

    name: str
    status: str
    text: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def examine(file: Path) -> list[Finding]:
    """Everything; only the first finding if the configuration cannot be read."""
    try:
        config = load(file)
    except ConfigError as error:
        return [Finding("config", FAIL, str(error), "correct the setting, then run `tinybeam edge validate`")]
    return [Finding("config", OK, f"{file} is good"), *(finding for check in _CHECKS for finding in check(config))]


def _store(config: Config) -> Iterator[Finding]:
    if not config.store_file.is_file():
        yield Finding("store", OK, f"{config.store_file} is not there yet; the gateway makes it")
        return
    try:
        Store(config.store_file, config.gateway.id, config.store.max_bytes).close()
        yield Finding("store", OK, f"{config.store_file} opens")
    except StoreLocked:
        yield Finding("store", OK, "a gateway is using it")
    except StoreError as error:
        yield Finding("store", FAIL, str(error), "correct gateway.id or gateway.state_dir, or move the file away")


def _disk(config: Config) -> Iterator[Finding]:
    folder = _existing(config.gateway.state_dir)
    if not os.access(folder, os.W_OK):
        yield Finding("disk", FAIL, f"{folder} cannot be written", "give the gateway's user the folder, or change gateway.state_dir")
        return
    free = shutil.disk_usage(folder).free
    held = config.store_file.stat().st_size if config.store_file.is_file() else 0
    if free + held < config.store.max_bytes:
        said = f"{free >> 20} MiB free, but the store may grow to {config.store.max_bytes >> 20} MiB"
        yield Finding("disk", WARN, said, "free some space or lower store.max_bytes")
    else:
        yield Finding("disk", OK, f"{free >> 20} MiB free")


def _models(config: Config) -> Iterator[Finding]:
    try:
        bundles = bundles_of(config)
        with Scorer(list(bundles.values())) as scorer:
            text = ", ".join(f"{name} {bundle.version}" for name, bundle in bundles.items())
            yield Finding("models", OK, f"{text} on {scorer.runtime}" if bundles else "none configured")
    except (BundleError, ConfigError, ScorerFailed) as error:
        yield Finding(
            "models", FAIL, str(error), "put a whole bundle where [[models]] says, with all its channels and frames in [[sensors]]"
        )


def _key_modes(config: Config) -> Iterator[Finding]:
    secret = {"mqtt.tls_key": config.mqtt.tls_key, "pubsub.credentials_file": config.pubsub.credentials_file}
    for name, file in secret.items():
        if file is None:
            continue
        if not file.is_file():
            yield Finding("keys", FAIL, f"{name}: there is no file {file}", "put it there or correct the setting")
        elif file.stat().st_mode & 0o077:
            yield Finding("keys", FAIL, f"{name} {file} can be read by others", f"chmod 600 {file}")
        else:
            yield Finding("keys", OK, f"{name} is for its owner only")


def _clock(_config: Config) -> Iterator[Finding]:
    found = clock.quality(clock.now(), clock.kernel_status())
    if found == TimeQuality.SYNCED:
        yield Finding("clock", OK, "synchronised")
    else:
        yield Finding("clock", WARN, f"not synchronised; rows will say time_quality = {found}", "start chrony or systemd-timesyncd")


def _broker(config: Config) -> Iterator[Finding]:
    mqtt = config.mqtt
    try:
        secured = tls.context(mqtt)
        with socket.create_connection((mqtt.host, mqtt.port), _SECONDS) as opened:
            if secured:
                secured.wrap_socket(opened, server_hostname=mqtt.host).close()
        yield Finding("broker", OK, f"{mqtt.host}:{mqtt.port} answers" + (" and shows a good certificate" if secured else ""))
    except (ConfigError, ssl.SSLError) as error:
        yield Finding("broker", FAIL, str(error), "correct mqtt.tls_ca, tls_certificate and tls_key, or the broker's certificate")
    except OSError as error:
        yield Finding("broker", FAIL, f"{mqtt.host}:{mqtt.port}: {error}", "start the broker, or correct mqtt.host and mqtt.port")


def _pubsub(config: Config) -> Iterator[Finding]:
    emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
    host, _, port = (emulator or "pubsub.googleapis.com:443").rpartition(":")
    if not (emulator or config.pubsub.credentials_file or os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")):
        yield Finding("pubsub", FAIL, "no credentials", "set pubsub.credentials_file, or PUBSUB_EMULATOR_HOST for an emulator")
    try:
        socket.create_connection((host, int(port)), _SECONDS).close()
        yield Finding("pubsub", OK, f"{host}:{port} answers")
    except (OSError, ValueError) as error:
        # Not a failure: to be offline for days is what the store is for.
        yield Finding("pubsub", WARN, f"{host}:{port}: {error}", "nothing is lost: batches wait in the store until the uplink is back")


def _existing(folder: Path) -> Path:
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())


_CHECKS: tuple[Callable[[Config], Iterator[Finding]], ...] = (_store, _disk, _models, _key_modes, _clock, _broker, _pubsub)
