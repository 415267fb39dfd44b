"""What a model's file must be for a bundle: one input, one output, float32 or int8 (case 4). The runtime is a fake."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge.models.bundle import Bundle, BundleError
from edge.models.model import Model
from edge.models.tflite import Runtime
from tests.edge.models.test_bundle import SOIL


def tensor(width: int, dtype: Any = np.int8, scale: float = 0.1) -> dict[str, Any]:
    return {"name": f"of {width}", "index": 0, "shape": np.array([1, width]), "dtype": dtype, "quantization": (scale, 0)}


def model(inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> Model:
    class Interpreter:
        def __init__(self, **_: Any) -> None: ...
        def allocate_tensors(self) -> None: ...
        def get_input_details(self) -> list[dict[str, Any]]:
            return inputs

        def get_output_details(self) -> list[dict[str, Any]]:
            return outputs

    return Model(Bundle.load(SOIL).runnable(), Runtime("fake", Interpreter))


WIDTH = len(Bundle.load(SOIL).recipe.inputs)
GOOD, OUT = tensor(WIDTH), tensor(3)


@pytest.mark.parametrize("dtype", [np.int8, np.float32])
def test_one_input_and_one_output_of_int8_or_float_are_taken(dtype: Any) -> None:
    assert model([tensor(WIDTH, dtype)], [tensor(3, dtype)])


@pytest.mark.parametrize(
    ("inputs", "outputs", "reason"),
    [
        ([tensor(WIDTH, np.uint8)], [OUT], r"model\.tflite: input is uint8, a bundle's model has float32 or int8 there"),
        ([GOOD], [tensor(3, np.uint8)], r"output is uint8"),
        ([tensor(WIDTH, np.float16)], [OUT], r"input is float16"),
        ([GOOD, tensor(2)], [OUT], rf"it has 2 inputs \(of {WIDTH}, of 2\), a bundle's model has one"),
        ([GOOD], [OUT, OUT], r"it has 2 outputs"),
        ([tensor(WIDTH + 1)], [OUT], r"input has shape"),
        ([GOOD], [tensor(3, scale=0.0)], r"output is int8 without a scale"),
    ],
)
def test_4_a_model_of_another_form_is_refused_by_name(inputs: list[Any], outputs: list[Any], reason: str) -> None:
    with pytest.raises(BundleError, match=reason):
        model(inputs, outputs)
