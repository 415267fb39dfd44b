"""Serves the warehouse that a demo left in its folder, and renders its report again."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lab.acts.live_page import LivePage
from lab.acts.run_record import RunRecord
from lab.console import Console
from lab.report import render
from lab.services.stack import StartFailed, Warehouse
from lab.witness import delivered

_OLD_RECORD = "story.json"
"""The record's name in older versions."""


def serve(directory: Path, console: Console) -> None:
    """Serves the warehouse of the demo until Ctrl-C, which ends it with KeyboardInterrupt. Raises StartFailed."""
    _load(directory)
    with Warehouse(directory) as warehouse, LivePage(directory, warehouse) as page:
        for line in endpoints(warehouse):
            console.show(line)
        console.show(f"Open in a browser:   {page.url}\n")
        threading.Event().wait()


def rewrite(directory: Path) -> Path:
    """Renders the report from the warehouse and the record that the demo left. Raises StartFailed."""
    record = _load(directory)
    with Warehouse(directory) as warehouse:
        return render.write(directory, delivered.connect(warehouse), record)


def endpoints(warehouse: Warehouse) -> Iterator[str]:
    """Yields lines that say where the warehouse answers, and how to ask it."""
    tinybeam = f"BIGQUERY_EMULATOR_HOST={warehouse.rest_url} {Path(sys.executable).with_name('tinybeam')}"
    yield f"warehouse   {warehouse.rest_url}, storage {warehouse.grpc_address} ({warehouse.version}), project {warehouse.project}"
    yield "\nTry in another terminal:\n"
    yield f"  {tinybeam} sql query"
    yield f"  {tinybeam} sql query driest_fields --project {warehouse.project}\n"


def _load(directory: Path) -> RunRecord:
    try:
        return RunRecord.load(directory)
    except FileNotFoundError as error:
        if (directory / _OLD_RECORD).exists():
            raise StartFailed(f"{directory} holds the demo of an older version ({_OLD_RECORD}): run `make demo` again") from error
        raise StartFailed(f"{directory} holds no finished demo: run `make demo` first, or name another --directory") from error
    except msgspec.MsgspecError as error:
        raise StartFailed(f"{directory} holds the demo of another version: run `make demo` again ({error})") from error
