"""Runs one bundle in one runtime for the gate: `python -m training.build.gate_child RUNTIME BUNDLE`, rows on stdin, outputs on stdout.

Exit status 0 with the outputs as float64, 1 with the reason why the model cannot be run, 3 with the reason why the runtime is missing. The
gateway's own Model does the work, so that what is compared is what a gateway decides. With `arena` for RUNTIME it finds the smallest arena
of tflite-micro instead, each size in a fork of its own: with too small a one the interpreter may crash.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from edge.models import tflite
from edge.models.bundle import Bundle, BundleError
from edge.models.model import Model
from training.build.runtimes import ARENA, MICRO, MISSING, REFUSED, smallest_arena

_PLENTY = 1 << 24
_SECONDS_A_SIZE = 30
_MICRO_ENDS = (3, 11)


class _Micro:
    """Gives tflite-micro's interpreter the methods of TFLite's; runs one row at a time."""

    def __init__(self, model_content: bytes, num_threads: int, arena: int) -> None:
        from tflite_micro.python.tflite_micro import runtime

        self._interpreter = runtime.Interpreter.from_bytes(model_content, arena_size=arena)
        self._rows: Any = np.empty((0, 0))
        self._outputs: Any = None

    def allocate_tensors(self) -> None:
        """Does nothing: the constructor has allocated them."""

    def resize_tensor_input(self, index: int, shape: Sequence[int]) -> None:
        """Does nothing: rows come one by one."""

    def get_input_details(self) -> list[dict[str, Any]]:
        return [_detail(self._interpreter.get_input_details(0))]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [_detail(self._interpreter.get_output_details(0))]

    def set_tensor(self, index: int, rows: Any) -> None:
        self._rows = rows

    def invoke(self) -> None:
        self._outputs = np.concatenate([self._run(row[None, :]) for row in self._rows])

    def get_tensor(self, index: int) -> Any:
        return self._outputs

    def _run(self, row: Any) -> Any:
        self._interpreter.set_input(row, 0)
        self._interpreter.invoke()
        return self._interpreter.get_output(0)


def _detail(tensor: dict[str, Any]) -> dict[str, Any]:
    grid = tensor["quantization_parameters"]
    quantization = (float(grid["scales"][0]), int(grid["zero_points"][0])) if len(grid["scales"]) else (0.0, 0)
    return {"index": 0, "shape": tensor["shape"], "dtype": tensor["dtype"], "quantization": quantization}


def _runtime(name: str, arena: int = _PLENTY) -> tflite.Runtime:
    if name != MICRO:
        return tflite.load(name)
    try:
        installed = version(name)
    except PackageNotFoundError as error:
        ended = "it has no wheels for Python newer than 3.11" if sys.version_info[:2] > _MICRO_ENDS else "it is not installed"
        raise tflite.RuntimeMissing(f"{name}: {ended}") from error
    return tflite.Runtime(f"{name} {installed}", lambda model_content, num_threads: _Micro(model_content, num_threads, arena))


def _outputs(runtime: str, bundle: Bundle) -> bytes:
    shape = np.frombuffer(sys.stdin.buffer.read(8), "<u4")
    rows = np.frombuffer(sys.stdin.buffer.read(), "<f8").reshape(shape)
    return np.asarray(Model(bundle.runnable(), _runtime(runtime)).run(rows)).astype("<f8").tobytes()


def _arena(bundle: Bundle) -> bytes:
    golden = np.array([case.features for case in bundle.golden])
    Model(bundle.runnable(), _runtime(MICRO))  # imports it once, before the forks

    def runs(size: int) -> bool:
        child = os.fork()
        if child == 0:
            signal.alarm(_SECONDS_A_SIZE)
            try:
                Model(bundle.runnable(), _runtime(MICRO, size)).run(golden)
            except BaseException:  # noqa: BLE001 - whatever it is, this size does not do
                os._exit(1)
            os._exit(0)
        return os.waitpid(child, 0)[1] == 0

    return str(smallest_arena(runs)).encode()


def main(arguments: Sequence[str]) -> int:
    """Writes the outputs, the arena or the reason to stdout; returns the exit status."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    task, directory = arguments
    try:
        bundle = Bundle.load(Path(directory))
        answer, status = _arena(bundle) if task == ARENA else _outputs(task, bundle), 0
    except tflite.RuntimeMissing as missing:
        answer, status = str(missing).encode(), MISSING
    except (BundleError, ValueError, RuntimeError) as error:
        answer, status = str(error).encode(), REFUSED
    pipe.write(answer)
    pipe.close()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
