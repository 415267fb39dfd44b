"""Runs the pipeline once: options, registry and warehouse are checked, then the flow is built and run until it ends or is asked to stop.

Exit code 0: done or stopped when asked. 1: failed. 2: called wrongly.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from random import Random
from types import FrameType
from uuid import uuid4

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineResult

from derive import batch
from pipeline import flow
from pipeline.elements import wall_clock
from pipeline.io import archive, warehouse
from pipeline.io.append import brief
from pipeline.io.archive import Archive, ArchiveError, ArchiveFirst, Gathering
from pipeline.io.loads.batch import LoadSink
from pipeline.io.loads.deliveries import OUT_AT_MOST, ByLoads, load_all
from pipeline.io.loads.jobs import FILES_OF_A_JOB
from pipeline.io.loads.streaming import StreamedLoadSink
from pipeline.io.loads.waiting import Gathering as Loads
from pipeline.io.loads.waiting import Size
from pipeline.io.open_alerts import open_alerts
from pipeline.io.registry import WAREHOUSE as REGISTRY_TABLES
from pipeline.io.registry import RefreshedRegistry
from pipeline.io.rejected import RejectTables
from pipeline.io.sinks import AppendSink, PublishNotifications
from pipeline.io.sources import ExportFiles, FromExportFiles, FromSubscription, NoInput
from pipeline.io.subscription.pubsub import puller
from pipeline.io.subscription.sink import WriteAndAcknowledge, by_appends
from pipeline.io.subscription.source import FromPulls
from pipeline.irrigation.fields import without_balance
from pipeline.liveness import watched
from pipeline.options import BUNDLES, Options, UsageError, parse
from pipeline.prism import NoPrism
from pipeline.replay.transform import REACH, SELDOM, ReplayOnChange, Replays
from pipeline.transforms import counts
from program import logs
from program.settings import ConfigError
from schemas.records import Alert
from schemas.registry import Registry, RegistrySource

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
        result = build(options, registry, known).run()
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
    warehouse.check(options.warehouse, Random())
    _look_at(registry.load(), options)
    known = open_alerts(options.warehouse) if options.streaming else ()
    if known:
        _LOG.info("%d alerts are open in the warehouse: the pipeline goes on with them", len(known))
    return known


def build(options: Options, registry: RegistrySource, known: Sequence[Alert] = ()) -> beam.Pipeline:
    """Builds the flow, which goes on with `known`, the alerts that are open."""
    if options.runner == BUNDLES:
        _LOG.info(
            "DirectRunner in streaming mode is Beam's BundleBasedDirectRunner: for trying out, its Pub/Sub messages are acknowledged early"
        )
    pipeline = beam.Pipeline(options=PipelineOptions(list(options.beam)))
    if options.streaming:
        source = _subscription(options)
        sink: flow.Sink = _streaming_sink(options)
    else:
        found = ExportFiles.at(options.input)
        _LOG.info("%d files of %.1f MB match %s", found.files, found.bytes / 1e6, found.glob)
        source = FromExportFiles(found.glob, wall_clock)
        sink = LoadSink(options.warehouse, _folder(options), uuid4().hex)
    publish = PublishNotifications(options.alerts_topic) if options.alerts_topic else None
    messages, replay = pipeline | "Read" >> source, _replay(options, registry)
    flow.build(messages, registry, sink, options.schedule, wall_clock, publish, _archive(options), known, replay, _acknowledge(options))
    _LOG.info("%s into %s.%s", options.input_subscription or options.input, options.warehouse.project, options.warehouse.datasets.tables)
    return pipeline


def _subscription(options: Options) -> beam.PTransform:
    if options.acknowledges_when_written:
        return FromPulls(partial(puller, options.input_subscription))
    return FromSubscription(options.input_subscription)


def _acknowledge(options: Options) -> flow.Acknowledge | None:
    """Returns what writes rows of messages and acknowledges them, where that is not the engine's work."""
    if not options.acknowledges_when_written:
        return None
    acknowledger = partial(puller, options.input_subscription)
    if options.load_interval:
        loads = Loads(options.load_interval.total_seconds(), OUT_AT_MOST)
        write: beam.PTransform = ByLoads(
            _folder(options), loads, partial(load_all, options.warehouse, wall_clock), acknowledger, wall_clock
        )
    else:
        write = by_appends(partial(warehouse.appender, options.warehouse), acknowledger, wall_clock)
    return WriteAndAcknowledge(write, acknowledger)


def _streaming_sink(options: Options) -> flow.Sink:
    """Returns what writes rows that are not acknowledged with their messages: where those are loaded, that is what follows from them."""
    if not options.load_interval or options.acknowledges_when_written:
        return AppendSink(options.warehouse)
    loads = Loads(options.load_interval.total_seconds(), Size(files=FILES_OF_A_JOB))
    return StreamedLoadSink(options.warehouse, _folder(options), loads, wall_clock, flow.OF_MESSAGES)


def _folder(options: Options) -> str:
    """Returns where files wait for their load."""
    return options.temp_location or tempfile.gettempdir()


def _archive(options: Options) -> flow.Archive | None:
    """Returns the archive, if there is to be one and it can be written to. Raises ArchiveError."""
    if not options.archive:
        return None
    archive.check(options.archive)
    if options.streaming:
        archive.gather_leftovers(options.archive)
    if not options.streaming:
        return Archive(options.archive, wall_clock, None)
    gathering = Gathering(options.archive_every.total_seconds())
    kind = ArchiveFirst if options.acknowledges_when_written else Archive
    return kind(options.archive, wall_clock, gathering)


def _replay(options: Options, registry: RegistrySource) -> flow.Replay | None:
    """Returns what brings the rows of devices in that the registry comes to know while the pipeline runs."""
    if not options.streaming:
        return None
    return ReplayOnChange(Replays(RejectTables(options.warehouse), REACH, max(options.registry_refresh, SELDOM)), registry, wall_clock)


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
