"""Says what waits for a load, when there is enough of it, and how its jobs are named: by the files, so that the same load is the same jobs.

Pure.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from pipeline.elements import BatchName
from pipeline.state import StateFormat

LOADS_A_DAY = 1_500
"""BigQuery takes so many load jobs a day for a table: https://cloud.google.com/bigquery/quotas#load_jobs."""
SHORTEST_INTERVAL = timedelta(seconds=math.ceil(86_400 / LOADS_A_DAY))


class Files(NamedTuple):
    """Names files with what is in them: the table of each, and where the sink acknowledges the messages that are in no other file."""

    files: tuple[tuple[str, str], ...]
    """Table and path."""
    bytes: int
    ack_ids: tuple[str, ...] = ()
    batches: tuple[BatchName, ...] = ()


class Size(NamedTuple):
    """Counts what waits."""

    files: int = 0
    bytes: int = 0
    messages: int = 0

    def plus(self, files: Files) -> Size:
        return Size(self.files + len(files.files), self.bytes + files.bytes, self.messages + len(files.ack_ids))


FILES = StateFormat("files_to_load", 1, Files)
SIZE = StateFormat("size_to_load", 1, Size)


@dataclass(frozen=True, slots=True)
class Gathering:
    """Says when what waits is loaded: after so many seconds, or when it is so much. Without a limit of its own a load has as many files as
    a job takes.
    """

    seconds: float
    most: Size

    def is_enough(self, size: Size) -> bool:
        return any(counted >= limit > 0 for counted, limit in zip(size, self.most, strict=True))


def together(several: Iterable[Files]) -> Files:
    """Returns all as one, in an order that depends on what they are alone."""
    every = sorted(set(several))
    return Files(
        tuple(file for each in every for file in each.files),
        sum(each.bytes for each in every),
        tuple(ack_id for each in every for ack_id in each.ack_ids),
        tuple(name for each in every for name in each.batches),
    )


def by_table(files: Files) -> dict[str, list[str]]:
    """Returns the paths of each table."""
    found: dict[str, list[str]] = defaultdict(list)
    for table, path in files.files:
        found[table].append(path)
    return found


def job_id(table: str, paths: Iterable[str]) -> str:
    """Returns the name of the job that loads these files."""
    digest = hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()
    return f"tinybeam_load_{table}_{digest[:32]}"
