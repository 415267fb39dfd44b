"""Declares [[models]]: the bundles that a gateway scores with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from program.settings import Settings, setting


class ModelSettings(Settings, frozen=True, kw_only=True):
    """Names a model bundle that the gateway scores with."""

    name: Annotated[str, setting("Name that classes of sensors use", min_length=1, example="soil")]
    bundle: Annotated[Path, setting("Folder with model.tflite and manifest.json", example="models/soil")]
    shadow: Annotated[
        Path | None,
        setting(
            "Folder of a bundle that scores beside the first: its inferences say shadow = true, and raise nothing",
            example="models/soil-2",
            since="0.3.0",
        ),
    ] = None
    deadband: Annotated[
        float,
        setting(
            "An inference of the same label whose score is within +-deadband of the last one sent is not sent, for hold_seconds. 0: each",
            ge=0,
        ),
    ] = 0.0
