"""Declares the flags of `tinybeam pipeline`, with what --help says of each."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pipeline.authenticate import Requirement
from pipeline.io.registry import WAREHOUSE as REGISTRY_TABLES
from program import logs
from program.duration import duration
from schemas.datasets import SETTINGS

DESCRIPTION = """\
What gateways sent, by Pub/Sub or in export files, into BigQuery, for as long as this command runs. Flags that are not listed go to Beam.

`tinybeam pipeline launch`, `update`, `status`, `drain` and `cancel` are about a job on Dataflow, and
`tinybeam pipeline verify-cloud` tries a project before; each has its own --help.
"""

EXAMPLES = """\
examples:
  on a laptop, from the subscription of a local Pub/Sub into a local warehouse:
    tinybeam pipeline --runner=DirectRunner --project=demo-project --registry=registry.toml --require_signatures=accept \\
        --input_subscription=projects/demo-project/subscriptions/pipeline \\
        --bigquery_endpoint=http://127.0.0.1:9050 --bigquery_storage_endpoint=127.0.0.1:9060

  on a machine of one's own, where a message is acknowledged when its rows are written:
    tinybeam pipeline --runner=PrismRunner --project=my-project --signature_keys=pipeline.key \\
        --input_subscription=projects/my-project/subscriptions/tinybeam

  on Dataflow, with these flags and those of the job (`tinybeam pipeline launch --help`):
    tinybeam pipeline launch --project=my-project --region=europe-west1 \\
        --input_subscription=projects/my-project/subscriptions/tinybeam --temp_location=gs://my-bucket/tmp \\
        --signature_keys=secret:projects/my-project/secrets/tinybeam-pipeline-key/versions/latest

  the export files of an offline gateway:
    tinybeam pipeline --mode=batch --input='exported/*.tbb' --signature_keys=pipeline.key --project=my-project

  every table anew, into another project, from what --archive=gs://my-bucket/archive kept:
    tinybeam pipeline --mode=batch --input=gs://my-bucket/archive --signature_keys=pipeline.key --project=my-second-project
    tinybeam certify my-project my-second-project
"""

_Add = Callable[..., Any]
"""Adds a flag, as argparse's add_argument."""


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


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(message)


def parser() -> argparse.ArgumentParser:
    """Returns what reads the flags; whatever is wrong with them it raises as UsageError."""
    reader = _Parser(
        prog="tinybeam pipeline",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for add_flags in (_add_input, _add_output, _add_registry, _add_signatures, _add_rollups, _add_engine, _add_local_warehouse, _add_logs):
        add_flags(reader.add_argument)
    return reader


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


def _add_signatures(add: _Add) -> None:
    add("--require_signatures", choices=[each.value for each in Requirement], default=Requirement.REFUSE.value, help=_REQUIRE)
    add("--signature_keys", default="", metavar="PLACE", help=_SIGNATURE_KEYS)


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
    add("--metrics_port", type=_port, default=0, metavar="PORT", help=_METRICS)
    add("--log_level", choices=logs.LEVELS, default="info", help=f"{logs.LEVEL_HELP} (default: %(default)s)")
    add("--log_format", choices=logs.FORMATS, default="text", help=f"{logs.FORMAT_HELP} (default: %(default)s)")


_METRICS = "answer Prometheus at /metrics on this port of this machine, while it runs; Dataflow shows the same by itself (default: 0, none)"
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
_REQUIRE = (
    "what becomes of a batch that no key of [[gateways]] signed: refuse makes a reject of it, warn takes it and says so, accept looks at "
    "none (default: %(default)s)"
)
_SIGNATURE_KEYS = (
    "the pipeline's private keys, by which signatures are checked: a PEM file, local, gs:// or on another of Beam's file systems, or "
    "secret:projects/P/secrets/S/versions/V"
)
_LATENESS = "how late a row may be for its hour's rollup; later rows mark the hour dirty (default: 7d); facts are stored whatever their age"


def _duration(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port, 0 to 65535")
    return int(text)


def _positive(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of seconds from 1")
    return int(text)
