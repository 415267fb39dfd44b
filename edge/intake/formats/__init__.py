"""Lists the payload formats: how the bytes of a message become readings. A new one is a file here and a line in `FORMATS`.

The first that claims a payload reads it. The last one claims every payload, so that what no other format understands is rejected by it.
"""

from __future__ import annotations

from edge.intake.formats.described import DescribedFormat
from edge.intake.formats.format import Context, Format, FormatSetup
from edge.intake.formats.frames import FrameFormat
from edge.intake.formats.json_readings import JsonFormat

__all__ = ["FORMATS", "Context", "Format", "FormatSetup", "described_formats", "formats"]

FORMATS = (
    FrameFormat,
    JsonFormat,
)
"""In the order in which they are asked."""


DESCRIBED = (
    FrameFormat,
    DescribedFormat,
)
"""Those of classes with [sensors.payload]."""


def described_formats(setup: FormatSetup) -> list[Format]:
    """Makes the formats of those classes of one gateway, in that order."""
    return [format_class(setup) for format_class in DESCRIBED]


def formats(setup: FormatSetup) -> list[Format]:
    """Makes the formats of one gateway, in that order."""
    return [format_class(setup) for format_class in FORMATS]
