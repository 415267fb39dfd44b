"""Declares [samples]: which windows go up with what the model was given, so that it can learn from them."""

from __future__ import annotations

from typing import Annotated

from program.settings import Settings, setting


class SampleSettings(Settings, frozen=True, kw_only=True):
    """Says which of a model's windows are kept to learn from, and how many bytes a day they may take."""

    max_bytes_per_day: Annotated[
        int,
        setting("Bytes of samples in a day of UTC, as they are stored, spread over it. 0: no samples", ge=0, le=1 << 40, since="0.3.0"),
    ] = 0
    random_one_in: Annotated[
        int, setting("One window in so many is kept whatever was said of it. 0: none", ge=0, le=1_000_000_000, since="0.3.0")
    ] = 1000
    uncertain_within: Annotated[
        float,
        setting(
            "A window is uncertain if a threshold between two labels is nearer to its score than so much of the 80 % interval. 0: none is",
            ge=0,
            le=1,
            since="0.3.0",
        ),
    ] = 0.1
