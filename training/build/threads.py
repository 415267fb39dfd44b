"""Keeps numpy to one thread for all sums: a matrix product that is shared out among threads adds in another order, and its last bits follow
the number of processors. Guarantees that neither that number nor the environment gets into a model.
"""

from __future__ import annotations

import os
import sys

_LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""The libraries under numpy read these once, when numpy is imported."""


class ImportOrderError(RuntimeError):
    """numpy was imported before its threads were limited."""


def single() -> None:
    """Limits numpy to one thread, here and in processes that are begun from here. Raises ImportOrderError."""
    if "numpy" in sys.modules and any(os.environ.get(name) != "1" for name in _LIMITS):
        raise ImportOrderError("numpy is already imported, so that its number of threads can no longer be set")
    os.environ.update(dict.fromkeys(_LIMITS, "1"))
