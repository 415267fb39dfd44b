"""The scorer's child imports what a model needs and nothing else: a gateway's memory is small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge.models import tflite
from edge.models.bundle import Bundle
from edge.models.protocol import packet
from edge.models.runnable import pack
from program.child import environment

SOIL = Path(__file__).parents[3] / "models" / "soil"


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """Names of all modules that a child imports from its start to its end, by Python's own list."""
    command = [sys.executable, "-P", "-X", "importtime", "-m", "edge.models.child", *tflite.installed()]
    done = subprocess.run(command, input=packet(pack(Bundle.load(SOIL).runnable())), capture_output=True, check=True, env=environment())
    assert done.stdout[4:5] == b"R"
    return {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines() if line.startswith("import time:")}


def test_the_child_loads_the_runtime_and_numpy(imported: set[str]) -> None:
    assert {"numpy", "edge.models.model"} <= imported


@pytest.mark.parametrize(
    "room",
    ["paho", "google", "grpc", "pyarrow", "requests", "asyncio", "ssl", "click", "sqlite3", "msgspec", "schemas", "email", "dataclasses"],
)
def test_the_child_imports_nothing_of_the_gateways_own_work(imported: set[str], room: str) -> None:
    assert [name for name in imported if name.split(".")[0] == room] == []


@pytest.mark.parametrize("part", ["numpy.random.mtrand", "numpy.ma.core", "numpy.polynomial.polynomial"])
def test_the_child_leaves_parts_of_numpy_alone_that_no_model_uses(imported: set[str], part: str) -> None:
    assert part not in imported
