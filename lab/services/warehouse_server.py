"""Starts local-bigquery with what pip installed and no download. Runs in the warehouse's own interpreter, so it imports nothing of ours.

DuckDB would fetch its extensions from the network at first use; here they come from their pip packages, into this environment.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

_EXTENSIONS = Path(sys.prefix) / "duckdb-extensions"
_connect = duckdb.connect


def _extension_file(extension: str) -> Path:
    """Finds the file of an extension in its pip package."""
    spec = find_spec(f"duckdb_extension_{extension}")
    if spec is None or spec.origin is None:
        sys.exit(f"duckdb-extension-{extension} is not installed in {sys.prefix}")
    return next(Path(spec.origin).parent.glob("extensions/v*/*.duckdb_extension"))


def connect(*arguments: Any, config: dict[str, Any] | None = None, **options: Any) -> Any:
    """Replaces duckdb.connect and installs the extensions. TimeZone is set afterwards: before, it would want a third one."""
    config = {**(config or {}), "extension_directory": str(_EXTENSIONS)}
    zone = config.pop("TimeZone", None)
    connection = _connect(*arguments, config=config, **options)
    for extension in ("ducklake", "spatial"):
        connection.execute(f"install '{_extension_file(extension)}'")
    connection.execute("load ducklake")
    if zone:
        connection.execute(f"set global TimeZone = '{zone}'")
    return connection


if __name__ == "__main__":
    duckdb.connect = connect
    from local_bigquery.cli import main

    main()
