"""The benchmark of memory measures what `tinybeam[edge]` installs."""

from __future__ import annotations

from importlib.metadata import requires
from pathlib import Path

from bench import memory


def test_the_environment_has_what_a_gateway_installs_and_no_more() -> None:
    listed = Path(memory.__file__).with_name("requirements-gateway.txt").read_text().splitlines()
    packages = {each.partition(";")[0].strip() for each in listed}
    needed = [each.partition(";") for each in requires("tinybeam") or ()]
    assert packages == {_spelt(name) for name, _, marker in needed if "extra ==" not in marker or 'extra == "edge"' in marker}


def _spelt(requirement: str) -> str:
    """Bounds come in any order."""
    return requirement.strip().replace("paho-mqtt<3,>=2.1", "paho-mqtt>=2.1,<3")
