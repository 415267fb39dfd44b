"""Reads the flags of a job on Dataflow: those of every run, without what is on this machine alone, and those of the job."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.dataflow import worker
from pipeline.flags import UsageError
from pipeline.io.registry import WAREHOUSE as REGISTRY_TABLES
from pipeline.io.signature_keys import SECRET
from pipeline.options import DATAFLOW, Options, parse_any


def job_options(arguments: Sequence[str]) -> Options:
    """Reads the flags of every run. Raises UsageError."""
    options = parse_any([*arguments, *(() if _names_runner(arguments) else (f"--runner={DATAFLOW}",))])
    if options.runner != DATAFLOW:
        raise UsageError("`tinybeam pipeline launch` launches on Dataflow: give no --runner, or let `tinybeam pipeline` run on it")
    _refuse_what_is_here(options)
    return options


def refuse_without_sources(image: str, options: Options) -> None:
    """Raises UsageError if workers get neither an image nor sources."""
    if not image and not worker.SETUP.is_file() and not any(word.startswith("--setup_file") for word in options.beam):
        raise UsageError(
            "TinyBeam is installed here without its sources, which workers need: name --image=IMAGE, or --setup_file=FOLDER/setup.py "
            "of a checkout"
        )


def _names_runner(arguments: Sequence[str]) -> bool:
    return any(word.partition("=")[0] == "--runner" for word in arguments)


def _refuse_what_is_here(options: Options) -> None:
    """Raises UsageError for what only this machine has: it would be part of the job, where workers look for it in vain."""
    where = options.warehouse
    if local := where.endpoint or where.storage_endpoint:
        raise UsageError(
            f"{local} is a local warehouse, which Dataflow's workers do not reach: unset BIGQUERY_EMULATOR_HOST and "
            "BIGQUERY_STORAGE_EMULATOR_HOST, and give no --bigquery_endpoint"
        )
    if not (options.temp_location or "").startswith("gs://"):
        raise UsageError("--temp_location=gs://BUCKET/FOLDER is missing: the job's files go there")
    if options.archive and "://" not in options.archive:
        raise UsageError(f"--archive={options.archive} is a folder of this machine, which Dataflow's workers do not have: name a bucket")
    if options.registry != REGISTRY_TABLES and "://" not in options.registry:
        raise UsageError(
            f"--registry={options.registry} is a file of this machine, which Dataflow's workers do not have: put it into the warehouse by "
            "`tinybeam sql registry` and leave the flag out, or into a bucket"
        )
    if (place := options.signatures.place) and not place.startswith(SECRET) and "://" not in place:
        raise UsageError(
            f"--signature_keys={place} is a file of this machine, which Dataflow's workers do not have: name secret:projects/P/secrets/S/"
            "versions/V, or a bucket"
        )
