"""Lists the kinds of steps of a feature recipe, by the name that manifests use. A new one is a class and a line here.

docs/how-to/add-a-feature.md adds one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.models.operations.arithmetic import Age, Difference, Last, Magnitude, Ratio
from edge.models.operations.averages import Ewma, Usual
from edge.models.operations.extremes import Peak, Trough
from edge.models.operations.operation import Operation

OPERATIONS: Mapping[str, Callable[..., Operation]] = {
    "age": Age,
    "difference": Difference,
    "ewma": Ewma,
    "last": Last,
    "magnitude": Magnitude,
    "peak": Peak,
    "ratio": Ratio,
    "trough": Trough,
    "usual": Usual,
}
