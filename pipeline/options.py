"""Reads the command line into one frozen Options, checked before anything is connected. Flags that are not ours go to Beam unchanged."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pipeline.authenticate import Requirement
from pipeline.flags import Mode, UsageError, WriteMethod, parser
from pipeline.io.loads.waiting import LOADS_A_DAY, SHORTEST_INTERVAL
from pipeline.io.signature_keys import Signatures
from pipeline.io.warehouse import Warehouse, endpoints
from pipeline.rollup.transform import Schedule
from program import logs
from schemas.datasets import SETTINGS, Datasets

DATAFLOW = "DataflowRunner"
BUNDLES = "pipeline.local_runner.LocalRunner"
FN_API = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
"""What DirectRunner means in streaming and in batch mode: named outright, it downloads nothing."""

PRISM = "pipeline.prism.PrismRunner"
"""What PrismRunner means: Beam's, which finds Prism and takes it along when it ends."""

_GONE = {
    "--id_attribute": "the pipeline drops repeats by the names of their batches, whatever their attributes",
    "--timestamp_attribute": "times are in the batches, and an element's is when Pub/Sub received it",
}
"""Flags that were, and why they are no more."""

_TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+")
_SUBSCRIPTION = re.compile(r"projects/[^/]+/subscriptions/[^/]+")
_LONGEST_LATENESS = timedelta(days=365)
_LOAD_INTERVAL_DEFAULT = timedelta(minutes=15)
LONGEST_LOAD_INTERVAL = timedelta(minutes=30)
"""A message that is out for an hour is given up; the load has to end, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Says what a run is asked to do. `beam` are the flags for Beam."""

    mode: Mode
    runner: str
    input: str
    input_subscription: str
    alerts_topic: str
    warehouse: Warehouse
    registry: str
    registry_refresh: timedelta
    schedule: Schedule
    temp_location: str | None
    load_interval: timedelta | None
    """None where rows are appended."""
    archive: str
    archive_every: timedelta
    signatures: Signatures
    beam: tuple[str, ...]
    recompute: bool = True
    metrics_port: int = 0
    log_level: logs.Level = "info"
    log_format: logs.Format = "text"

    @property
    def streaming(self) -> bool:
        return self.mode == Mode.STREAMING

    @property
    def acknowledges_when_written(self) -> bool:
        """Says whether messages are acknowledged by their sink: Dataflow has a source of its own, and LocalRunner knows no other."""
        return self.streaming and self.runner not in (BUNDLES, DATAFLOW)


def parse(arguments: Sequence[str]) -> Options:
    """Reads flags of a run that ends with this command. Raises UsageError; prints help and exits on --help."""
    options = parse_any(arguments)
    if options.runner == DATAFLOW:
        raise UsageError("`tinybeam pipeline launch` launches on Dataflow, with the same flags and no --runner")
    if options.streaming and options.warehouse.endpoint and not options.warehouse.storage_endpoint:
        raise UsageError("--bigquery_endpoint is of a local warehouse: name its gRPC port too, with --bigquery_storage_endpoint=HOST:PORT")
    return options


def parse_any(arguments: Sequence[str]) -> Options:
    """Reads flags of a run anywhere. Raises UsageError; prints help and exits on --help."""
    flags, rest = parser().parse_known_args(list(arguments))
    _refuse_what_is_gone(rest)
    _refuse_contradictions(flags, rest)
    endpoint, storage_endpoint = endpoints(flags.bigquery_endpoint, flags.bigquery_storage_endpoint)
    streaming = flags.mode == Mode.STREAMING
    return Options(
        mode=Mode(flags.mode),
        runner=_runner(flags.runner, streaming=streaming),
        input=flags.input,
        input_subscription=flags.input_subscription,
        alerts_topic=flags.alerts_topic,
        warehouse=Warehouse(flags.project, _datasets(flags), endpoint, storage_endpoint),
        registry=flags.registry,
        registry_refresh=flags.registry_refresh,
        schedule=Schedule(streaming, flags.early_seconds, flags.allowed_lateness),
        temp_location=flags.temp_location,
        load_interval=_load_interval(flags),
        archive=flags.archive.rstrip("/"),
        archive_every=flags.archive_every,
        signatures=_signatures(flags),
        beam=_for_beam(flags, rest, streaming=streaming),
        recompute=not flags.no_recompute,
        metrics_port=flags.metrics_port,
        log_level=flags.log_level,
        log_format=flags.log_format,
    )


def _refuse_what_is_gone(rest: Sequence[str]) -> None:
    for word in rest:
        if why := _GONE.get(word.partition("=")[0].replace("A", "_a")):
            raise UsageError(f"{word.partition('=')[0]} is gone: {why}")


def _refuse_contradictions(flags: argparse.Namespace, rest: Sequence[str]) -> None:
    if stray := [word for word in rest[:1] if not word.startswith("-")]:
        raise UsageError(f"{stray[0]!r} is no flag: write --name=value")
    if not flags.project:
        raise UsageError("--project is missing: the Google Cloud project of the warehouse")
    if flags.mode == Mode.BATCH and (flags.input_subscription or not flags.input):
        raise UsageError("--mode=batch reads export files: give --input=GLOB and no --input_subscription")
    if flags.mode == Mode.STREAMING and (flags.input or not flags.input_subscription):
        raise UsageError("--mode=streaming reads Pub/Sub: give --input_subscription and no --input (or --mode=batch)")
    if flags.mode == Mode.STREAMING and not _SUBSCRIPTION.fullmatch(flags.input_subscription):
        raise UsageError(f"--input_subscription must look like projects/P/subscriptions/S, not {flags.input_subscription!r}")
    if flags.mode == Mode.BATCH and flags.alerts_topic:
        raise UsageError("--mode=batch notifies nobody of alerts: give no --alerts_topic")
    if flags.alerts_topic and not _TOPIC.fullmatch(flags.alerts_topic):
        raise UsageError(f"--alerts_topic must look like projects/P/topics/T, not {flags.alerts_topic!r}")
    if not flags.registry_refresh:
        raise UsageError("--registry_refresh is at least 1s")
    if flags.allowed_lateness > _LONGEST_LATENESS:
        raise UsageError(f"--allowed_lateness is at most {_LONGEST_LATENESS.days}d")


def _signatures(flags: argparse.Namespace) -> Signatures:
    """Returns what is required of signatures. Raises UsageError."""
    requirement = Requirement(flags.require_signatures)
    if requirement != Requirement.ACCEPT and not flags.signature_keys:
        raise UsageError(
            "--signature_keys=PLACE is missing: the pipeline's private key, by which it knows batches of its gateways; "
            "--require_signatures=accept takes batches of anybody"
        )
    return Signatures(requirement, flags.signature_keys)


def _load_interval(flags: argparse.Namespace) -> timedelta | None:
    """Returns how often rows are loaded; None where they are appended, or loaded once. Raises UsageError."""
    if flags.mode == Mode.BATCH and (flags.write_method or flags.load_interval is not None):
        raise UsageError("--mode=batch loads its rows once: give no --write_method and no --load_interval")
    if (flags.write_method or WriteMethod.APPEND) != WriteMethod.LOAD:
        if flags.load_interval is not None:
            raise UsageError("--load_interval is of --write_method=load")
        return None
    interval: timedelta = _LOAD_INTERVAL_DEFAULT if flags.load_interval is None else flags.load_interval
    if interval < SHORTEST_INTERVAL:
        jobs = timedelta(days=1) // max(interval, timedelta(seconds=1))
        raise UsageError(
            f"--load_interval is at least {SHORTEST_INTERVAL.seconds}s: BigQuery takes {LOADS_A_DAY:,} load jobs a day for a table, and "
            f"this makes {jobs:,}"
        )
    if interval > LONGEST_LOAD_INTERVAL:
        raise UsageError("--load_interval is at most 30m: a message that is not written in an hour is delivered again")
    return interval


def _datasets(flags: argparse.Namespace) -> Datasets:
    try:
        return Datasets(**{setting.field: getattr(flags, setting.field) for setting in SETTINGS})
    except ValueError as error:
        raise UsageError(str(error)) from error


def _runner(name: str, *, streaming: bool) -> str:
    if name == "DirectRunner":
        return BUNDLES if streaming else FN_API
    return PRISM if name == "PrismRunner" else name


def _for_beam(flags: argparse.Namespace, rest: Sequence[str], *, streaming: bool) -> tuple[str, ...]:
    words = [f"--runner={_runner(flags.runner, streaming=streaming)}", f"--project={flags.project}", "--no_save_main_session"]
    words += ["--streaming"] if streaming else []
    words += [f"--temp_location={flags.temp_location}"] if flags.temp_location else []
    return (*words, *rest)
