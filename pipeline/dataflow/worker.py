"""Says what workers need besides Beam's image, and where these sources are that they install."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

SETUP = Path(__file__).resolve().parents[2] / "setup.py"


def requirements() -> list[str]:
    """Returns what the package and its pipeline ask for, with their floors; Beam itself is the image's own."""
    asked = [Requirement(line) for line in metadata.requires("tinybeam") or ()]
    of_pipeline = [one for one in asked if one.marker is None or one.marker.evaluate({"extra": "pipeline"})]
    return sorted(f"{one.name}{one.specifier}" for one in of_pipeline if one.name != "apache-beam")


def flags(folder: Path) -> Sequence[str]:
    """Returns Beam's flags that send these sources, and a list of what they need, put into the folder, with the job.

    The list alone is sent: an image of Beam has most of it, and what meets its floor is not installed again.
    """
    listed = folder / "requirements.txt"
    listed.write_text("".join(f"{line}\n" for line in requirements()))
    return f"--setup_file={SETUP}", f"--requirements_file={listed}", "--requirements_cache=skip"
