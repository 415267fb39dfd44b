"""Loads the TFLite runtime: the one place that knows which package it comes from.

tflite-runtime 2.14 exists for Python 3.11 only and, on numpy 2, imports and then fails when an interpreter is made; so numpy's
version is checked before it is tried. Everything else runs on ai-edge-litert.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any


class RuntimeMissing(Exception):
    """No TFLite runtime is installed that works on this Python and numpy."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """Holds a runtime's name and version, such as `tflite-runtime 2.14.0`, and its Interpreter class."""

    name: str
    interpreter: Any


_CANDIDATES = (("tflite-runtime", "tflite_runtime.interpreter"), ("ai-edge-litert", "ai_edge_litert.interpreter"))


def load(only: str | None = None) -> Runtime:
    """Returns the first runtime that works here, or the one named `only`. Raises RuntimeMissing."""
    reasons = []
    for package, module in _CANDIDATES:
        if only not in (None, package):
            continue
        reason = _unfit(package)
        if reason is None:
            return Runtime(f"{package} {version(package)}", import_module(module).Interpreter)
        reasons.append(f"{package}: {reason}")
    raise RuntimeMissing("; ".join(reasons) or f"{only}: there is no such runtime")


def _unfit(package: str) -> str | None:
    if package == "tflite-runtime" and sys.version_info[:2] != (3, 11):
        return "it has wheels for Python 3.11 only"
    try:
        version(package)
        numpy_major = int(version("numpy").split(".")[0])
    except PackageNotFoundError as error:
        return f"{error.name} is not installed"
    return "it needs numpy 1" if package == "tflite-runtime" and numpy_major > 1 else None
