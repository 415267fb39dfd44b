"""Writes a dense network as model.tflite in full int8, with the schema's object API; needs no TensorFlow.

Weights are quantised for each output channel (symmetric), activations for each tensor (with zero point), as the TFLite int8
specification asks of FULLY_CONNECTED version 4, which tflite-runtime 2.14 and LiteRT both run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from training.build.dense import Floats, Layer, Network

_FULLY_CONNECTED = schema.BuiltinOperator.FULLY_CONNECTED
_VERSION = 4


@dataclass(frozen=True, slots=True)
class Grid:
    """Maps int8 numbers to real ones: that of q is scale * (q - zero)."""

    scale: float
    zero: int

    @staticmethod
    def over(low: float, high: float) -> Grid:
        """Spans both, and zero, exactly."""
        low, high = min(float(low), 0.0), max(float(high), 0.0)
        scale = float(np.float32((high - low) / 255 or 1 / 255))
        return Grid(scale, int(np.clip(np.round(-128 - low / scale), -128, 127)))


def write(network: Network, grids: Sequence[Grid], description: str, output: str = "quantiles") -> bytes:
    """Returns the file's bytes, the same for the same arguments. `output` names the last tensor; `grids` are those of the inputs and of
    each layer's outputs.
    """
    writer = _ModelWriter(description)
    below = writer.activation("features", network[0].weights.shape[0], grids[0])
    first = below
    for number, layer in enumerate(network):
        name = output if number == len(network) - 1 else f"hidden_{number}"
        above = writer.activation(name, layer.weights.shape[1], grids[number + 1])
        writer.connect(below, writer.constants(layer, number, grids[number]), above, rectified=layer.rectified)
        below = above
    return writer.finish(first, below)


class _ModelWriter:
    def __init__(self, description: str) -> None:
        self._buffers = [schema.BufferT()]
        self._graph = schema.SubGraphT()
        self._graph.name, self._graph.tensors, self._graph.operators = "main", [], []
        self._model = schema.ModelT()
        self._model.version, self._model.description = 3, description

    def activation(self, name: str, width: int, grid: Grid) -> int:
        tensor = self._tensor(name, [1, width], schema.TensorType.INT8, scales=[grid.scale], zeros=[grid.zero])
        tensor.shapeSignature = [-1, width]
        return self._add(tensor)

    def constants(self, layer: Layer, number: int, inputs: Grid) -> tuple[int, int]:
        """Adds weights and bias as tensors; the bias counts in steps of input scale times weight scale."""
        weights = np.ascontiguousarray(layer.weights.T, dtype=np.float64)
        scales = np.maximum(np.abs(weights).max(axis=1), 1e-9) / 127
        steps = (scales * inputs.scale).astype(np.float32)
        zeros = [0] * len(scales)
        quantised = np.clip(np.round(weights / scales[:, None]), -127, 127).astype(np.int8)
        bias = np.round(layer.bias / steps).astype(np.int32)
        first = self._tensor(f"weights_{number}", quantised.shape, schema.TensorType.INT8, scales=scales, zeros=zeros, data=quantised)
        second = self._tensor(f"bias_{number}", bias.shape, schema.TensorType.INT32, scales=steps, zeros=zeros, data=bias)
        return self._add(first), self._add(second)

    def connect(self, below: int, constants: tuple[int, int], above: int, *, rectified: bool) -> None:
        options = schema.FullyConnectedOptionsT()
        kinds = schema.ActivationFunctionType
        options.fusedActivationFunction = kinds.RELU if rectified else kinds.NONE
        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = 0, [below, *constants], [above]
        operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.FullyConnectedOptions, options
        self._graph.operators.append(operator)

    def finish(self, first: int, last: int) -> bytes:
        self._graph.inputs, self._graph.outputs = [first], [last]
        code = schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode, code.version = _FULLY_CONNECTED, _FULLY_CONNECTED, _VERSION
        self._model.operatorCodes, self._model.subgraphs, self._model.buffers = [code], [self._graph], self._buffers
        builder = flatbuffers.Builder(1 << 14)
        builder.Finish(self._model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _tensor(self, name: str, shape: Sequence[int], kind: int, *, scales: Any, zeros: Sequence[int], data: Any = None) -> Any:  # noqa: PLR0913 - the parts of a tensor
        tensor, grid = schema.TensorT(), schema.QuantizationParametersT()
        grid.scale, grid.zeroPoint, grid.quantizedDimension = np.asarray(scales, np.float32), np.asarray(zeros, np.int64), 0
        tensor.name, tensor.shape, tensor.type, tensor.hasRank = name, list(shape), kind, True
        tensor.quantization, tensor.buffer = grid, 0 if data is None else self._buffer(data)
        return tensor

    def _buffer(self, data: Any) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(data.tobytes(), np.uint8)
        self._buffers.append(buffer)
        return len(self._buffers) - 1

    def _add(self, tensor: Any) -> int:
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1


def calibrate(values: Sequence[Floats], outputs: tuple[float, float]) -> list[Grid]:
    """Fits grids to activations of the training data: inputs and hidden layers as far as they reach, outputs as asked."""
    grids = [Grid.over(float(value.min()), float(value.max())) for value in values[:-1]]
    return [*grids, Grid.over(*outputs)]
