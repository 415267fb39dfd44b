"""Examines what a gateway needs, and says of each part whether it is good and what to do if not. Changes nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from edge import clock
from edge.config import Config, ConfigError, load
from edge.day_cost import of_config
from edge.finding import Finding, Status, of_secret
from edge.intake import client_id
from edge.models.bundle import BundleError
from edge.models.bundles import bundles_of
from edge.models.process_scorer import ProcessScorer
from edge.models.scorer import ScorerFailed
from edge.releases.findings import of_releases
from edge.store.form import FormError, form
from edge.store.store import StoreDamaged, StoreError, StoreKeyError, StoreLocked
from edge.store_opening import look_at_store
from edge.uplink.allowance import SECTION, of_day
from edge.uplink.signer import agreed
from schemas.records import TimeQuality

_SELDOM = 600
"""Seconds between batches from which on requests are not most of what goes up."""

Check = Callable[[Config], Iterator[Finding]]


def examine(file: Path) -> list[Finding]:
    """Examines everything; gives a single finding if the configuration cannot be read."""
    try:
        config = load(file)
    except ConfigError as error:
        return [Finding("config", Status.FAIL, str(error), "correct the setting, then run `tinybeam edge validate`")]
    return [Finding("config", Status.OK, f"{file} is good"), *(finding for check in _CHECKS for finding in _run_check(check, config))]


def _run_check(check: Check, config: Config) -> Iterator[Finding]:
    """Yields what the check finds. What it may not look at is a finding, too."""
    try:
        yield from check(config)
    except OSError as error:
        yield Finding(check.__name__.removeprefix("_"), Status.FAIL, str(error), "run it as the gateway's user")


def _store(config: Config) -> Iterator[Finding]:
    try:
        config.store_file.stat()
        spent = look_at_store(config, SECTION)
        how = "encrypted" if config.store.encryption_key or config.store.encryption_key_file else "not encrypted"
        yield Finding("store", Status.OK, f"{config.store_file} opens; what is written to it is {how}")
        yield from of_day(config.uplink.limits, spent, clock.now().date())
    except FileNotFoundError:
        yield Finding("store", Status.OK, f"{config.store_file} is not there yet; the gateway makes it")
    except StoreLocked:
        yield Finding("store", Status.OK, "a gateway is using it")
    except StoreDamaged as error:
        yield Finding("store", Status.FAIL, str(error), "start the gateway: it sets the file aside and goes on with what is whole of it")
    except (StoreKeyError, ConfigError) as error:
        yield Finding(
            "store", Status.FAIL, str(error), "put the key back: without it nobody can read what waits here; nothing is changed meanwhile"
        )
    except StoreError as error:
        yield Finding("store", Status.FAIL, str(error), "correct gateway.id or gateway.state_dir, or move the file away")


def _disk(config: Config) -> Iterator[Finding]:
    folder = _existing(config.gateway.state_dir)
    if not os.access(folder, os.W_OK):
        yield Finding("disk", Status.FAIL, f"{folder} cannot be written", "give the gateway's user the folder, or change gateway.state_dir")
        return
    free = shutil.disk_usage(folder).free
    used = config.store_file.stat().st_size if config.store_file.is_file() else 0
    if free + used < config.store.max_bytes:
        text = f"{free >> 20} MiB free, but the store may grow to {config.store.max_bytes >> 20} MiB"
        yield Finding("disk", Status.WARN, text, "free some space or lower store.max_bytes")
    else:
        yield Finding("disk", Status.OK, f"{free >> 20} MiB free")


def _models(config: Config) -> Iterator[Finding]:
    try:
        bundles = bundles_of(config)
        with ProcessScorer(list(bundles.values())) as scorer:
            text = ", ".join(f"{name} {bundle.version}" for name, bundle in bundles.items())
            yield Finding("models", Status.OK, f"{text} on {scorer.runtime}" if bundles else "none configured")
    except (BundleError, ConfigError, ScorerFailed) as error:
        yield Finding(
            "models", Status.FAIL, str(error), "put a whole bundle where [[models]] says, with all its channels and frames in [[sensors]]"
        )


def _releases(config: Config) -> Iterator[Finding]:
    yield from of_releases(config, clock.now())


def _secrets(config: Config) -> Iterator[Finding]:
    for name, file in config.secret_files.items():
        yield of_secret(name, file)


def _clock(_config: Config) -> Iterator[Finding]:
    reading = clock.read()
    if reading.is_synced:
        yield Finding("clock", Status.OK, "synchronised")
    else:
        says = "the kernel does not say whether it is" if reading.is_synced is None else "it is not"
        sentence = f"{says} synchronised; rows say time_quality = {TimeQuality.ESTIMATED}"
        yield Finding(
            "clock", Status.WARN, sentence, "start chrony or systemd-timesyncd; jumps are not followed until it is, or unless they last"
        )


def _certificates(config: Config) -> Iterator[Finding]:
    if config.mqtt.tls:
        from edge import certificate_findings  # and with it cryptography, 10 MB that a gateway that runs does without

        yield from certificate_findings.of_settings(config.mqtt, clock.now())


def _broker(config: Config) -> Iterator[Finding]:
    from edge.intake.broker_findings import of_broker

    yield from of_broker(config, clock.now(), runs_here=_runs_here(config))


def _client_id(config: Config) -> Iterator[Finding]:
    yield from client_id.of_settings(config.mqtt, config.gateway.id)


def _http(config: Config) -> Iterator[Finding]:
    if config.http.port:
        from edge.intake.http.findings import of_http

        yield from of_http(config, clock.now(), runs_here=_runs_here(config))


def _page(config: Config) -> Iterator[Finding]:
    if config.page.port:
        from edge.page.findings import of_page

        yield from of_page(config, clock.now(), runs_here=_runs_here(config))


def _runs_here(config: Config) -> bool:
    """Says whether a gateway is using the store."""
    if config.store_file.is_file():
        try:
            look_at_store(config)
        except StoreError as error:
            return isinstance(error, StoreLocked)
    return False


def _uplink(config: Config) -> Iterator[Finding]:
    yield from config.uplink.findings()


def _signatures(config: Config) -> Iterator[Finding]:
    keys = config.signing_keys
    if keys is None:
        text = "batches are not signed: who may publish can speak for this gateway, and a pipeline refuses them unless it is told not to"
        yield Finding("signatures", Status.WARN, text, "set signatures.pipeline_key_file and signatures.key_file")
        return
    try:
        agreed(keys)
    except ConfigError as error:
        yield Finding("signatures", Status.FAIL, str(error), "put PEM keys on P-256 there")
    else:
        yield Finding("signatures", Status.OK, f"batches are signed by {keys.key_file}")


def _pipeline(config: Config) -> Iterator[Finding]:
    """Looks at batches for a pipeline of an earlier release. Most gateways have none, and nothing is said of it."""
    release = config.batches.for_pipeline
    if not release:
        return
    try:
        form(config.batches.schema_version)
    except FormError as error:
        yield Finding("pipeline", Status.FAIL, str(error), "install the package, or update the pipeline first")
    else:
        advice = "once the pipeline is updated remove batches.for_pipeline: batches are then smaller"
        yield Finding("pipeline", Status.OK, f"batches are written as pipelines of {release} read them", advice)


def _day(config: Config) -> Iterator[Finding]:
    cost = of_config(config)
    excess = config.uplink.limits.excess(cost.bytes)
    if excess:
        yield Finding(
            "bytes up", Status.WARN, f"{cost.sentence}; {excess}", "raise the limit, batches.seconds or gateway.heartbeat_seconds"
        )
        return
    advice = "" if config.batch_seconds >= _SELDOM else "where bytes are paid for, raise batches.seconds and gateway.heartbeat_seconds"
    yield Finding("bytes up", Status.OK, cost.sentence, advice)


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())


_CHECKS: tuple[Check, ...] = (
    _store,
    _disk,
    _models,
    _releases,
    _secrets,
    _clock,
    _certificates,
    _broker,
    _client_id,
    _http,
    _page,
    _uplink,
    _signatures,
    _pipeline,
    _day,
)
