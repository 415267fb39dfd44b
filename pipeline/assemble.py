"""Puts the flow together of what the options say: where messages come from, where rows and messages go, what else it needs."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from uuid import uuid4

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import flow
from pipeline.elements import wall_clock
from pipeline.io import archive, warehouse
from pipeline.io.archive import Archive, ArchiveFirst, Gathering
from pipeline.io.loads.batch import LoadSink
from pipeline.io.loads.deliveries import OUT_AT_MOST, ByLoads, load_all
from pipeline.io.loads.jobs import FILES_OF_A_JOB
from pipeline.io.loads.streaming import StreamedLoadSink
from pipeline.io.loads.waiting import Gathering as Loads
from pipeline.io.loads.waiting import Size
from pipeline.io.rejected import RejectTables
from pipeline.io.sinks import AppendSink, PublishNotifications
from pipeline.io.sources import ExportFiles, FromExportFiles, FromSubscription
from pipeline.io.subscription.pubsub import puller
from pipeline.io.subscription.sink import WriteAndAcknowledge, by_appends
from pipeline.io.subscription.source import FromPulls
from pipeline.options import BUNDLES, Options
from pipeline.replay.transform import REACH, SELDOM, ReplayOnChange, Replays
from program import logs
from schemas.records import Alert
from schemas.registry import RegistrySource

_LOG = logs.get(__name__)


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
    flow.build(
        messages,
        registry,
        sink,
        options.schedule,
        wall_clock,
        publish,
        _archive(options),
        known,
        replay,
        _acknowledge(options),
        options.signatures.authenticator(registry),
    )
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
