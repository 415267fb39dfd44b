"""Writes what somebody who helps needs to know of a gateway into one zip file, and no secret: `tinybeam edge support`.

Guarantees that no file that the settings name is read into it, and no payload unless it is asked for. A part that cannot be had is a
sentence that says why.
"""

from __future__ import annotations

import json
import platform
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec

from edge import dry_run
from edge.config import Config, ConfigError
from edge.finding import Finding
from edge.store.store import StoreError
from edge.store_opening import open_store
from program.files import is_visible
from program.version import version
from schemas.records import Kind

_SECONDS = 3.0
_LAST = 100
"""So many rejects, the newest."""
_PRIVATE = ("payloadBytes", "payloadString", "topic")
"""A topic may hold a name that is hashed elsewhere."""
_SECRET_NAMES = ("user", "encryption_key")

Part = Callable[[], str]


def write(file: Path, config: Config, findings: list[Finding], now: datetime, *, payloads: bool) -> list[str]:
    """Writes the file anew; returns the names of its parts. Raises OSError."""
    parts: Mapping[str, Part] = {
        "about.json": lambda: _about(now),
        "gateway.json": lambda: settings_of(config),
        "doctor.json": lambda: _json([finding.as_dict() for finding in findings]),
        "metrics.txt": lambda: _metrics(config),
        "rows.jsonl": lambda: "\n".join(_rows(config, payloads=payloads)),
    }
    file.touch(0o600)
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, _or_why_not(part))
    return list(parts)


def settings_of(config: Config) -> str:
    """Writes the settings as the gateway understands them, with the names of secret files and without users."""
    plain: dict[str, Any] = msgspec.to_builtins(config, enc_hook=str)
    return _json(_without_secrets(plain))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: "(left out)" if name in _SECRET_NAMES and each else _without_secrets(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_secrets(each) for each in value]
    return value


def _about(now: datetime) -> str:
    return _json({"tinybeam": version(), "python": sys.version, "machine": platform.platform(), "time": now.isoformat()})


def _metrics(config: Config) -> str:
    """Asks a gateway that runs for its last heartbeat, as metrics."""
    if not config.health.port:
        return "health.port is 0: a gateway that runs cannot be asked for its metrics"
    with urllib.request.urlopen(f"http://{config.health.host}:{config.health.port}/metrics", timeout=_SECONDS) as answer:
        text: str = answer.read().decode()
    return text


def _rows(config: Config, *, payloads: bool) -> Iterator[str]:
    """Yields the newest heartbeat and rejects that wait in the store. A gateway that runs has it locked."""
    if not is_visible(config.store_file):
        raise StoreError(f"there is no store {config.store_file} that this user may see")
    with closing(open_store(config)) as store:
        rows = list(dry_run.rows(store))
    for kind, last in ((Kind.HEARTBEATS, 1), (Kind.REJECTS, _LAST)):
        for _, row in [each for each in rows if each[0] == kind][-last:]:
            yield dry_run.as_json(kind, {name: value for name, value in row.items() if payloads or name not in _PRIVATE})


def _or_why_not(part: Part) -> str:
    try:
        return part()
    except (ConfigError, StoreError, OSError) as error:
        return f"not here: {error}"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2)
