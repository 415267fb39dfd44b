"""Says what workers need besides Beam's image, and packs these sources for them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

SETUP = Path(__file__).resolve().parents[2] / "setup.py"


class NotPacked(Exception):
    """The sources cannot be packed; the text says why."""


def requirements() -> list[str]:
    """Returns what the package and its pipeline ask for, with their floors; Beam itself is the image's own."""
    asked = [Requirement(line) for line in metadata.requires("tinybeam") or ()]
    of_pipeline = [one for one in asked if one.marker is None or one.marker.evaluate({"extra": "pipeline"})]
    return sorted(f"{one.name}{one.specifier}" for one in of_pipeline if one.name != "apache-beam")


def flags(folder: Path) -> Sequence[str]:
    """Returns Beam's flags that send these sources, and a list of what they need, both put into the folder. Raises NotPacked.

    The list alone is sent: an image of Beam has most of it, and what meets its floor is not installed again. The sources are a wheel, which
    workers install without building anything; Beam's own --setup_file would make them build it.
    """
    listed = folder / "requirements.txt"
    listed.write_text("".join(f"{line}\n" for line in requirements()))
    return f"--extra_package={wheel(folder)}", f"--requirements_file={listed}", "--requirements_cache=skip"


def wheel(folder: Path) -> Path:
    """Packs the sources into the folder, and leaves nothing behind beside them. Raises NotPacked."""
    aside = ["egg_info", "--egg-base", str(folder), "build", "--build-base", str(folder / "build")]
    command = [sys.executable, SETUP.name, "--quiet", *aside, "bdist_wheel", "--dist-dir", str(folder)]
    done = subprocess.run(command, cwd=SETUP.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotPacked(f"{SETUP} cannot be packed: {done.stderr.strip().rpartition(chr(10))[2]}")
    return next(folder.glob("*.whl"))
