"""Reads the command line into one frozen Options, checked before anything is connected. Flags that are not ours go to Beam unchanged."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pipeline.io.loads.waiting import LOADS_A_DAY, SHORTEST_INTERVAL
from pipeline.io.registry import WAREHOUSE as REGISTRY_TABLES
from pipeline.io.warehouse import Warehouse, endpoints
from pipeline.rollup.transform import Schedule
from program import logs
from program.duration import duration
from schemas.datasets import SETTINGS, Datasets

DATAFLOW = "DataflowRunner"
BUNDLES = "pipeline.local_runner.LocalRunner"
FN_API = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
"""What DirectRunner means in streaming and in batch mode: named outright, it downloads nothing."""

PRISM = "pipeline.prism.PrismRunner"
"""What PrismRunner means: Beam's, which finds Prism and takes it along when it ends."""

DESCRIPTION = """\
What gateways sent, by Pub/Sub or in export files, into BigQuery, for as long as this command runs. Flags that are not listed go to Beam.

`tinybeam pipeline launch`, `update`, `status`, `drain` and `cancel` are about a job on Dataflow, and
`tinybeam pipeline verify-cloud` tries a project before; each has its own --help.
"""

EXAMPLES = """\
examples:
  on a laptop, from the subscription of a local Pub/Sub into a local warehouse:
    tinybeam pipeline --runner=DirectRunner --project=demo-project --registry=registry.toml \\
        --input_subscription=projects/demo-project/subscriptions/pipeline \\
        --bigquery_endpoint=http://127.0.0.1:9050 --bigquery_storage_endpoint=127.0.0.1:9060

  on a machine of one's own, where a message is acknowledged when its rows are written:
    tinybeam pipeline --runner=PrismRunner --project=my-project --input_subscription=projects/my-project/subscriptions/tinybeam

  on Dataflow, with these flags and those of the job (`tinybeam pipeline launch --help`):
    tinybeam pipeline launch --project=my-project --region=europe-west1 \\
        --input_subscription=projects/my-project/subscriptions/tinybeam --temp_location=gs://my-bucket/tmp

  the export files of an offline gateway:
    tinybeam pipeline --mode=batch --input='exported/*.tbb' --project=my-project --registry=registry.toml

  every table anew, into another project, from what --archive=gs://my-bucket/archive kept:
    tinybeam pipeline --mode=batch --input=gs://my-bucket/archive --project=my-second-project --registry=registry.toml
    tinybeam certify my-project my-second-project
"""

_GONE = {
    "--id_attribute": "the pipeline drops repeats by the names of their batches, whatever their attributes",
    "--timestamp_attribute": "times are in the batches, and an element's is when Pub/Sub received it",
}
"""Flags that were, and why they are no more."""

_Add = Callable[..., Any]
"""Adds a flag, as argparse's add_argument."""

_TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+")
_SUBSCRIPTION = re.compile(r"projects/[^/]+/subscriptions/[^/]+")
_LONGEST_LATENESS = timedelta(days=365)
_LOAD_INTERVAL_DEFAULT = timedelta(minutes=15)
LONGEST_LOAD_INTERVAL = timedelta(minutes=30)
"""A message that is out for an hour is given up; the load has to end, too."""


class Mode(StrEnum):
    """Says whether a run follows a subscription or loads export files once."""

    STREAMING = "streaming"
    BATCH = "batch"


class WriteMethod(StrEnum):
    """Says how streaming writes what messages are: as it comes, or by load jobs every so often."""

    APPEND = "append"
    LOAD = "load"


class UsageError(ValueError):
    """A flag is missing, malformed or contradicts another; the text says which in one sentence."""


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
    beam: tuple[str, ...]
    recompute: bool = True
    log_level: logs.Level = "info"
    log_format: logs.Format = "text"

    @property
    def streaming(self) -> bool:
        return self.mode == Mode.STREAMING

    @property
    def acknowledges_when_written(self) -> bool:
        """Says whether messages are acknowledged by their sink: Dataflow has a source of its own, and LocalRunner knows no other."""
        return self.streaming and self.runner not in (BUNDLES, DATAFLOW)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(message)


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
    flags, rest = _parser().parse_known_args(list(arguments))
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
        beam=_for_beam(flags, rest, streaming=streaming),
        recompute=not flags.no_recompute,
        log_level=flags.log_level,
        log_format=flags.log_format,
    )


def _parser() -> _Parser:
    parser = _Parser(
        prog="tinybeam pipeline",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for add_flags in (_add_input, _add_output, _add_registry, _add_rollups, _add_engine, _add_local_warehouse, _add_logs):
        add_flags(parser.add_argument)
    return parser


def _add_input(add: _Add) -> None:
    add(
        "--mode",
        choices=[mode.value for mode in Mode],
        default=Mode.STREAMING.value,
        help="follow a subscription, or load export files once (default: %(default)s)",
    )
    add("--runner", default="DirectRunner", help=_RUNNER)
    add(
        "--input",
        default="",
        metavar="GLOB",
        help="batch: export files or an archive: a glob or a folder, on any of Beam's filesystems (local, gs://, s3://, azfs://)",
    )
    add(
        "--input_subscription",
        "--inputSubscription",
        default="",
        metavar="projects/P/subscriptions/S",
        help="streaming: Pub/Sub subscription",
    )
    add("--alerts_topic", default="", metavar="projects/P/topics/T", help=_ALERTS)


def _add_output(add: _Add) -> None:
    add("--project", default="", help="Google Cloud project of the warehouse")
    for setting in SETTINGS:
        add(
            setting.flag, dest=setting.field, default=os.environ.get(setting.variable) or setting.default, metavar="NAME", help=setting.help
        )
    add("--write_method", choices=[method.value for method in WriteMethod], help=_WRITE_METHOD)
    add("--load_interval", type=_duration, metavar="15m", help=_LOAD_INTERVAL)
    add("--archive", default="", metavar="FOLDER", help=_ARCHIVE)
    add("--archive_every", type=_duration, default=timedelta(hours=1), metavar="1h", help=_ARCHIVE_EVERY)


def _add_registry(add: _Add) -> None:
    add("--registry", default=REGISTRY_TABLES, metavar="FILE", help=_REGISTRY)
    add("--registry_refresh", type=_duration, default=timedelta(minutes=1), metavar="60s", help=_REFRESH)


def _add_rollups(add: _Add) -> None:
    add("--early_seconds", type=_positive, default=60, metavar="N", help="seconds between early results of an hour (default: %(default)s)")
    add("--allowed_lateness", "--allowedLateness", type=_duration, default=timedelta(days=7), metavar="7d", help=_LATENESS)
    add(
        "--no_recompute",
        action="store_true",
        help="batch: leave rollups at what this run saw; else it ends as `tinybeam sql recompute` does, with the hours that it touched",
    )


def _add_engine(add: _Add) -> None:
    add("--temp_location", "--tempLocation", metavar="FOLDER", help="where Parquet files wait for their load, gs:// for Dataflow")


def _add_local_warehouse(add: _Add) -> None:
    add("--bigquery_endpoint", metavar="URL", help="local warehouse, with http:// (default: $BIGQUERY_EMULATOR_HOST)")
    add("--bigquery_storage_endpoint", metavar="HOST:PORT", help="its gRPC port (default: $BIGQUERY_STORAGE_EMULATOR_HOST)")


def _add_logs(add: _Add) -> None:
    add("--log_level", choices=logs.LEVELS, default="info", help=f"{logs.LEVEL_HELP} (default: %(default)s)")
    add("--log_format", choices=logs.FORMATS, default="text", help=f"{logs.FORMAT_HELP} (default: %(default)s)")


_RUNNER = (
    "Beam runner: PrismRunner on a machine of one's own; DirectRunner to try things out: in streaming mode it acknowledges messages before "
    "their rows are written, and what is under way in a crash is lost (default: %(default)s). Dataflow has `tinybeam pipeline launch`"
)
_ARCHIVE = (
    "keep every batch as it was sent, in export files by kind and day, for --mode=batch --input=FOLDER to build the tables anew; "
    "local, gs://, s3:// or azfs:// (default: keep none)"
)
_ARCHIVE_EVERY = "streaming: how often small files of the archive are gathered into one; all are complete at any time (default: 1h)"
_WRITE_METHOD = (
    "streaming: append rows within seconds, or load them from files every --load_interval, which BigQuery does for nothing; rollups, "
    "alerts and what else follows from them are appended either way (default: append)"
)
_LOAD_INTERVAL = "streaming, --write_method=load: how often rows are loaded, from 58s to 30m (default: 15m)"
_ALERTS = "streaming: topic for alerts that are not historical (default: none; rows of alerts are written either way)"
_REGISTRY = (
    "sites, devices as of a time, and rules: the warehouse's tables, which `tinybeam sql registry` fills, or a TOML file, local, gs:// or "
    "on another of Beam's file systems (default: %(default)s)"
)
_REFRESH = "streaming: how often the registry is looked at anew; what is unsound is refused, and the last good one stays (default: 60s)"
_LATENESS = "how late a row may be for its hour's rollup; later rows mark the hour dirty (default: 7d); facts are stored whatever their age"


def _duration(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _positive(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of seconds from 1")
    return int(text)


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
