"""Runs the pipeline once: options, registry and warehouse are checked, then the flow is built and run until it ends or is asked to stop.

Exit code 0: done or stopped when asked. 1: failed. 2: called wrongly.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from random import Random
from types import FrameType

from apache_beam.runners.runner import PipelineResult

from derive import batch
from pipeline.assemble import build
from pipeline.elements import wall_clock
from pipeline.flags import UsageError
from pipeline.io import warehouse
from pipeline.io.append import brief
from pipeline.io.archive import ArchiveError
from pipeline.io.open_alerts import open_alerts
from pipeline.io.registry import WAREHOUSE as REGISTRY_TABLES
from pipeline.io.registry import RefreshedRegistry
from pipeline.io.sources import NoInput
from pipeline.io.subscription.pubsub import puller
from pipeline.irrigation.fields import without_balance
from pipeline.liveness import watched
from pipeline.options import DATAFLOW, Options, parse
from pipeline.prism import NoPrism
from pipeline.transforms import counts
from program import logs
from program.exposition import served
from program.settings import ConfigError
from schemas.records import Alert
from schemas.registry import Registry

_LOG = logs.get(__name__)


FINISH_SECONDS = 8.0
"""How long a pipeline that is asked to stop writes what it has pulled; whoever started it may lose patience after ten seconds."""


class Stopped(BaseException):
    """SIGTERM or SIGINT came."""


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        logs.set_up(options.log_level, options.log_format)
        registry = registry_of(options)
    except (UsageError, ConfigError) as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return 2
    try:
        return _run(options, registry)
    except NoInput as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return 2
    except (warehouse.UnfitTables, ArchiveError, ConfigError, NoPrism) as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return 1


def _run(options: Options, registry: RefreshedRegistry) -> int:
    _hear_signals()
    try:
        known = ready(options, registry)
        started = wall_clock()
        pipeline, result = build(options, registry, known), None
        with served("--metrics_port", options.metrics_port, lambda: counts.exposed(result.metrics()) if result else ""):
            result = pipeline.run()
            _hear_signals()  # a runner may have set its own
            with watched(lambda: result.state):
                code = _wait(result, options)
        return code if code or options.streaming else _recompute(options, registry.current(), started)
    except Stopped:
        return 0


def _hear_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)


def registry_of(options: Options) -> RefreshedRegistry:
    """Returns the registry that the options name; a file is read at once. Raises ConfigError."""
    registry = RefreshedRegistry(options.registry, options.warehouse, _refresh_seconds(options))
    if options.registry != REGISTRY_TABLES:
        registry.load()
    return registry


def ready(options: Options, registry: RefreshedRegistry) -> Sequence[Alert]:
    """Returns once warehouse and registry answer: with the alerts that the warehouse has as open. Raises UnfitTables and ConfigError."""
    if options.runner != DATAFLOW:  # there the workers read the keys, with rights of their own
        options.signatures.check()
    warehouse.check(options.warehouse, Random())
    _look_at(registry.load(), options)
    known = open_alerts(options.warehouse) if options.streaming else ()
    if known:
        _LOG.info("%d alerts are open in the warehouse: the pipeline goes on with them", len(known))
    return known


def _refresh_seconds(options: Options) -> float | None:
    return options.registry_refresh.total_seconds() if options.streaming else None


def _look_at(registry: Registry, options: Options) -> None:
    """Says of the registry what somebody should know at the start."""
    counts = f"{len(registry.devices)} devices on {len(registry.sites)} sites, {len(registry.rules)} rules"
    _LOG.info("registry of %s: %s", options.registry, counts)
    if not registry.devices:
        _LOG.warning("the registry has no devices: rows of any become rejects until `tinybeam sql registry FILE` says where it stands")
    for sentence in without_balance(registry):
        _LOG.warning(sentence)
    if options.streaming and registry.rules and not options.alerts_topic:
        _LOG.info("nobody is notified of alerts: --alerts_topic is not given; their rows are written")


def _wait(result: PipelineResult, options: Options) -> int:
    try:
        state = result.wait_until_finish()
    except Stopped:
        _LOG.info("asked to stop")
        if options.acknowledges_when_written:
            puller(options.input_subscription).finish(FINISH_SECONDS)
        result.cancel()
        state = "CANCELLED"
    except Exception as error:
        if not options.acknowledges_when_written:
            raise
        _LOG.error("the engine failed, what was not written comes again: %s", brief(error))
        state = "FAILED"
    finally:
        if options.streaming:
            warehouse.appender(options.warehouse).close()
    _LOG.info("ended: %s", state)
    if not options.streaming:
        for sentence in counts.of_run(result.metrics()).sentences():
            print(sentence)
    return 0 if state in ("DONE", "CANCELLED", "DRAINED", "UPDATED") else 1


def _recompute(options: Options, registry: Registry, started: datetime) -> int:
    """Ends a batch run: rollups become what all facts say. Returns the exit code."""
    if not options.recompute:
        _LOG.info("rollups are of what this run saw: run `tinybeam sql recompute` to make them what all facts say")
        return 0
    try:
        batch.recompute_in(options.warehouse, started, registry, _LOG.info)
    except batch.NotRecomputed as error:
        print(f"pipeline: {error}", file=sys.stderr)
        return 1
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped
