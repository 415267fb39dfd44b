"""Delays modules that others import and a process hardly uses: each is loaded when somebody uses it, as if it had been imported then.

For processes with one thread at the moment of use: Python's own lazy modules may be loaded twice by two threads.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType
from typing import NamedTuple


def load_on_demand(*names: str) -> None:
    """Delays the modules of these names that are imported from here on."""
    finder = _Delaying(frozenset(names))
    if finder not in sys.meta_path:
        sys.meta_path.insert(0, finder)


class _Delaying(NamedTuple):
    names: frozenset[str]

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in self.names:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec and spec.loader:
            spec.loader = LazyLoader(spec.loader)
        return spec
