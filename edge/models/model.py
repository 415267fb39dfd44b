"""Runs a bundle's model in this process. On a gateway that process is the scorer's child: a bad model may end it."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge.models import tflite
from edge.models.outputs import OUTPUTS
from edge.models.runnable import BundleError, Runnable, label_of

Floats = np.ndarray[Any, np.dtype[np.float64]]


class Model:
    """Scores features, any number of rows at a time.

    Usage: `Model(Bundle.load(path).runnable(), tflite.load()).run(features)`.
    """

    def __init__(self, runnable: Runnable, runtime: tflite.Runtime) -> None:
        """Raises BundleError if the model cannot be run or has another shape than its manifest."""
        self._runnable, self._kind = runnable, OUTPUTS[runnable.kind]
        self._interpreter = _interpreter(runnable, runtime)
        self._input = _only(runnable, "input", self._interpreter.get_input_details())
        self._output = _only(runnable, "output", self._interpreter.get_output_details())
        self._rows = 0
        _check_tensor(runnable, "input", self._input, len(runnable.offsets))
        _check_tensor(runnable, "output", self._output, runnable.outputs)
        self._offsets, self._scales = np.array(runnable.offsets), np.array(runnable.scales)

    def run(self, features: Floats) -> Floats:
        """Turns shape (rows, inputs) into (rows, 3): low, score and high in the bundle's unit."""
        # Rows of another width fail here, before the interpreter is made for them.
        inputs = _quantise((features - self._offsets) / self._scales, self._input)
        if len(inputs) != self._rows:
            self._interpreter.resize_tensor_input(self._input["index"], inputs.shape)
            self._interpreter.allocate_tensors()
            self._rows = len(inputs)
        self._interpreter.set_tensor(self._input["index"], inputs)
        self._interpreter.invoke()
        outputs = _dequantise(self._interpreter.get_tensor(self._output["index"]), self._output)
        scores = self._kind.scores(_dequantise(inputs, self._input), outputs)
        return np.sort(np.clip(scores, *self._runnable.limits), axis=1)

    def check_golden(self) -> None:
        """Raises BundleError naming the first golden case that the model does not reproduce."""
        runnable = self._runnable
        answers = self.run(np.array([case.features for case in runnable.golden]))
        for number, (case, outputs) in enumerate(zip(runnable.golden, answers, strict=True)):
            label = label_of(float(outputs[1]), runnable.labels, runnable.thresholds)
            if label != case.label or not np.all(np.abs(outputs - case.outputs) <= runnable.tolerance):
                difference = f"{outputs.round(3).tolist()} {label}, expected {list(case.outputs)} {case.label}"
                raise BundleError(f"{runnable.file}: golden case {number}: the model says {difference}")


def _interpreter(runnable: Runnable, runtime: tflite.Runtime) -> Any:
    try:
        interpreter = runtime.interpreter(model_content=runnable.model, num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise BundleError(f"{runnable.file}: {runtime.name} cannot load it: {error}") from error
    return interpreter


def _only(runnable: Runnable, side: str, details: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the one tensor at this end of the model. Raises BundleError for several: nothing says which is which."""
    if len(details) != 1:
        names = ", ".join(str(detail["name"]) for detail in details)
        raise BundleError(f"{runnable.file}: it has {len(details)} {side}s ({names}), a bundle's model has one")
    return details[0]


def _check_tensor(runnable: Runnable, side: str, detail: dict[str, Any], width: int) -> None:
    """Raises BundleError unless the tensor has the rows' width, and numbers that are read and written as they are meant."""
    if detail["dtype"] not in (np.float32, np.int8):
        raise BundleError(f"{runnable.file}: {side} is {np.dtype(detail['dtype']).name}, a bundle's model has float32 or int8 there")
    shape = detail["shape"].tolist()
    if len(shape) != 2 or shape[1] != width:
        raise BundleError(f"{runnable.file}: {side} has shape {shape}, the manifest needs [rows, {width}]")
    if detail["dtype"] == np.int8 and not detail["quantization"][0] > 0:
        raise BundleError(f"{runnable.file}: {side} is int8 without a scale")


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
