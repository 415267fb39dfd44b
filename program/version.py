"""Reads the installed version of TinyBeam, as heartbeats and `--version` tell it."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """Returns the version, such as `0.1.0`; `not installed` in a checkout that no environment knows."""
    try:
        return metadata.version("tinybeam")
    except metadata.PackageNotFoundError:
        return "not installed"
