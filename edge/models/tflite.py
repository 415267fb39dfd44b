"""Loads the TFLite runtime: the one place that knows which package it comes from.

tflite-runtime 2.14 exists for Python 3.11 only and, on numpy 2, imports and then fails when an interpreter is made; so numpy's
version is checked before it is tried. Everything else runs on ai-edge-litert.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, NamedTuple


class RuntimeMissing(Exception):
    """No TFLite runtime is installed that works on this Python and numpy."""


class Runtime(NamedTuple):
    """Holds a runtime's name and version, such as `tflite-runtime 2.14.0`, and its Interpreter class."""

    name: str
    interpreter: Any


class Installed(NamedTuple):
    """Names a runtime that works here, and the module that it is loaded from."""

    name: str
    module: str

    def load(self) -> Runtime:
        return Runtime(self.name, import_module(self.module).Interpreter)


_CANDIDATES = (("tflite-runtime", "tflite_runtime.interpreter"), ("ai-edge-litert", "ai_edge_litert.interpreter"))


def load(only: str | None = None) -> Runtime:
    """Returns the first runtime that works here, or the one named `only`. Raises RuntimeMissing."""
    return installed(only).load()


def installed(only: str | None = None) -> Installed:
    """Finds that runtime, and does not load it. Raises RuntimeMissing."""
    # Not above: it brings a mail parser, and the child of a model only loads what its parent found.
    from importlib.metadata import version

    reasons = []
    for package, module in _CANDIDATES:
        if only not in (None, package):
            continue
        reason = _unfit(package)
        if reason is None:
            return Installed(f"{package} {version(package)}", module)
        reasons.append(f"{package}: {reason}")
    raise RuntimeMissing("; ".join(reasons) or f"{only}: there is no such runtime")


def _unfit(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    if package == "tflite-runtime" and sys.version_info[:2] != (3, 11):
        return "it has wheels for Python 3.11 only"
    try:
        version(package)
        numpy_major = int(version("numpy").split(".")[0])
    except PackageNotFoundError as error:
        return f"{error.name} is not installed"
    return "it needs numpy 1" if package == "tflite-runtime" and numpy_major > 1 else None
