"""Loads Parquet files of a table by jobs whose names say what is in them, so that a job is done once however often it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from apache_beam.io.filesystems import FileSystems

from pipeline.io import warehouse
from pipeline.io.loads import parquet
from pipeline.io.warehouse import Warehouse
from program import logs

FILES_OF_A_JOB = 10_000
"""So many files a load job takes at most: https://cloud.google.com/bigquery/quotas#load_jobs."""

_LOG = logs.get(__name__)


def load(  # noqa: PLR0913 - what jobs are made of
    where: Warehouse, table: str, job_id: str, files: Sequence[str], rng: Random, *, for_ever: bool = False
) -> None:
    """Loads files, all in one bucket or all local; the same job for the same files. Raises what `warehouse.load` raises."""
    if not files[0].startswith("gs://"):
        with parquet.joined(files) as whole:
            warehouse.load(where, table, job_id, whole, rng, for_ever=for_ever)
        return
    for name, portion in _portions(job_id, files):
        warehouse.load(where, table, name, portion, rng, for_ever=for_ever)


def remove(table: str, files: Sequence[str]) -> None:
    """Removes files that are loaded; those that an earlier attempt removed are gone already."""
    FileSystems.delete([path for path in files if FileSystems.exists(path)])
    _LOG.info("loaded %d files into %s", len(files), table)


def _portions(job_id: str, files: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    for first in range(0, len(files), FILES_OF_A_JOB):
        yield f"{job_id}_{first}" if first else job_id, files[first : first + FILES_OF_A_JOB]
