"""The child process that runs one model: `python -m edge.models.child BUNDLE`. It may crash or hang; its parent does not care.

Speaks frames on stdin and stdout, each a little-endian length and that many bytes. It opens with a ready or an error frame, then
answers each request (rows, columns, float64 features before normalisation) with OK and low, score and high in the bundle's unit, or
with an error text. Nothing is answered before the bundle's hash, the model's shapes and the golden cases are verified.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from edge.models import tflite
from edge.models.bundle import RECONSTRUCTION, Bundle, BundleError, read_model

LENGTH = struct.Struct("<I")
SHAPE = struct.Struct("<II")
OK, READY, FAILED, UNUSABLE = b"K", b"R", b"F", b"U"
MAX_MEMORY = 4 << 30
_NORMAL_P90 = 1.2816

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Model:
    """A model ready to run: features in; low, score and high in the bundle's unit out; any number of rows at a time."""

    def __init__(self, bundle: Bundle, runtime: tflite.Runtime) -> None:
        """Raises BundleError if the model cannot be run or is not the model of the manifest."""
        self._bundle = bundle
        self._interpreter = _interpreter(bundle, runtime)
        self._input, self._output = self._interpreter.get_input_details()[0], self._interpreter.get_output_details()[0]
        self._rows = 0
        _check_width(bundle, "input", self._input, len(bundle.recipe.inputs))
        _check_width(bundle, "output", self._output, bundle.outputs)
        self._offsets, self._scales = np.array(bundle.offsets), np.array(bundle.scales)

    def run(self, features: Floats) -> Floats:
        """Shape (rows, inputs) -> (rows, 3)."""
        if len(features) != self._rows:
            self._interpreter.resize_tensor_input(self._input["index"], features.shape)
            self._interpreter.allocate_tensors()
            self._rows = len(features)
        given = _quantise((features - self._offsets) / self._scales, self._input)
        self._interpreter.set_tensor(self._input["index"], given)
        self._interpreter.invoke()
        said = _dequantise(self._interpreter.get_tensor(self._output["index"]), self._output)
        if self._bundle.kind == RECONSTRUCTION:
            said = deviation(_dequantise(given, self._input), said)
        return np.sort(np.clip(said, *self._bundle.limits), axis=1)

    def check_golden(self) -> None:
        """Raises BundleError naming the first golden case that the model does not reproduce."""
        found = self.run(np.array([case.features for case in self._bundle.golden]))
        for number, (case, outputs) in enumerate(zip(self._bundle.golden, found, strict=True)):
            label = self._bundle.label(float(outputs[1]))
            if label != case.label or not np.all(np.abs(outputs - case.outputs) <= self._bundle.tolerance):
                told = f"{outputs.round(3).tolist()} {label}, expected {list(case.outputs)} {case.label}"
                raise BundleError(f"{self._bundle.model_file}: golden case {number}: the model says {told}")


def deviation(given: Floats, said: Floats) -> Floats:
    """How badly a model reproduces what it was given, as it was given it: shape (rows, inputs) twice -> (rows, 3), low, score, high.

    The score is the mean squared difference over the inputs, low and high bound its central 80 % by the central limit theorem.
    """
    squares = (given - said) ** 2
    count = squares.shape[1]
    score = squares.mean(axis=1)
    half = _NORMAL_P90 * (squares.std(axis=1, ddof=1) / np.sqrt(count) if count > 1 else np.zeros_like(score))
    return np.stack([score - half, score, score + half], axis=1)


def _interpreter(bundle: Bundle, runtime: tflite.Runtime) -> Any:
    try:
        interpreter = runtime.interpreter(model_content=read_model(bundle), num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise BundleError(f"{bundle.model_file}: {runtime.name} cannot load it: {error}") from error
    return interpreter


def _check_width(bundle: Bundle, side: str, detail: dict[str, Any], width: int) -> None:
    shape = detail["shape"].tolist()
    if len(shape) != 2 or shape[1] != width:
        raise BundleError(f"{bundle.model_file}: {side} has shape {shape}, the manifest needs [rows, {width}]")
    if detail["dtype"] == np.int8 and not detail["quantization"][0] > 0:
        raise BundleError(f"{bundle.model_file}: {side} is int8 without a scale")


def _quantise(values: Floats, detail: dict[str, Any]) -> Any:
    if detail["dtype"] != np.int8:
        return values.astype(detail["dtype"])
    scale, zero = detail["quantization"]
    return np.clip(np.round(values / scale) + zero, -128, 127).astype(np.int8)


def _dequantise(values: Any, detail: dict[str, Any]) -> Floats:
    if detail["dtype"] != np.int8:
        return np.asarray(values, dtype=np.float64)
    scale, zero = detail["quantization"]
    return np.asarray((values.astype(np.float64) - zero) * scale)


def serve(source: BinaryIO, sink: BinaryIO, run: Callable[[Floats], Floats]) -> None:
    """Answers requests until `source` ends."""
    while head := source.read(LENGTH.size):
        body = source.read(LENGTH.unpack(head)[0])
        try:
            reply = OK + run(_features(body)).astype("<f8").tobytes()
        except (ValueError, RuntimeError) as error:
            reply = FAILED + str(error).encode()
        send(sink, reply)


def send(sink: BinaryIO, body: bytes) -> None:
    """Writes one frame."""
    sink.write(LENGTH.pack(len(body)) + body)
    sink.flush()


def _features(body: bytes) -> Floats:
    rows, columns = SHAPE.unpack_from(body)
    return np.frombuffer(body, "<f8", offset=SHAPE.size).reshape(rows, columns)


def _own_stdout() -> BinaryIO:
    """The pipe to the parent, out of reach of libraries that print: what they write to stdout goes to stderr."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _bound_memory() -> None:
    """A model that asks for more memory than this fails alone, before the machine does."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    bound = MAX_MEMORY if hard == resource.RLIM_INFINITY else min(MAX_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (bound, hard))


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 when the parent closed the pipe, 1 when the bundle or the runtime cannot be used."""
    _bound_memory()
    sink = _own_stdout()
    try:
        runtime = tflite.load()
        model = Model(Bundle.load(Path(arguments[0])), runtime)
        model.check_golden()
    except (BundleError, tflite.RuntimeMissing) as error:
        send(sink, UNUSABLE + str(error).encode())
        return 1
    send(sink, READY + runtime.name.encode())
    serve(sys.stdin.buffer, sink, model.run)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
