"""What a demo left behind, once more: its warehouse to ask questions of, and its report made anew."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lab.acts.run_record import RunRecord
from lab.console import Console
from lab.report import render
from lab.services.stack import StartFailed, Warehouse
from lab.witness import delivered


def serve(directory: Path, screen: Console) -> None:
    """The warehouse of the demo until Ctrl-C, which ends it with KeyboardInterrupt. Raises StartFailed."""
    _story(directory)
    with Warehouse(directory) as warehouse:
        for line in endpoints(warehouse):
            screen.show(line)
        threading.Event().wait()


def rewrite(directory: Path) -> Path:
    """The report, from the warehouse and the story that the demo left. Raises StartFailed."""
    story = _story(directory)
    with Warehouse(directory) as warehouse:
        return render.write(directory, delivered.connect(warehouse), story)


def endpoints(warehouse: Warehouse) -> Iterator[str]:
    """Where it answers, and how to ask."""
    tinybeam = f"BIGQUERY_EMULATOR_HOST={warehouse.rest_url} {Path(sys.executable).with_name('tinybeam')}"
    yield f"warehouse   {warehouse.rest_url}, storage {warehouse.grpc_address} ({warehouse.version}), project {warehouse.project}"
    yield "\nTry in another terminal:\n"
    yield f"  {tinybeam} sql query"
    yield f"  {tinybeam} sql query driest_fields --project {warehouse.project}\n"


def _story(directory: Path) -> RunRecord:
    try:
        return RunRecord.load(directory)
    except FileNotFoundError as error:
        raise StartFailed(f"{directory} holds no finished demo: run `make demo` first, or name another --directory") from error
    except msgspec.MsgspecError as error:
        raise StartFailed(f"{directory} holds the demo of another version: run `make demo` again ({error})") from error
