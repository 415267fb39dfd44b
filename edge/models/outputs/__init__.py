"""Lists the kinds of outputs that models have, by the name that a manifest's `score.kind` uses. A new one is a class and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from edge.models.outputs.output import Output
from edge.models.outputs.quantiles import Quantiles
from edge.models.outputs.reconstruction import Reconstruction

QUANTILES, RECONSTRUCTION = "quantiles", "reconstruction"
COLUMNS = ("low", "score", "high")
"""What each kind makes of a row."""

OUTPUTS: Mapping[str, Output] = {QUANTILES: Quantiles(), RECONSTRUCTION: Reconstruction()}
