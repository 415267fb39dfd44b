"""A microcontroller's copy is the model's bytes: a compiler reads them back, aligned, and the arena is one in which the model runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("ai_edge_litert")
pytest.importorskip("tflite_micro")

from training.build import microcontroller, runtimes

SOIL = Path(__file__).parents[3] / "models" / "soil"
MAIN = """
#include <cstdint>
#include <cstdio>
#include "model.h"
int main() {
  if (reinterpret_cast<std::uintptr_t>(soil_model) % 16 != 0 || k_soil_model_arena_bytes == 0) return 1;
  return std::fwrite(soil_model, 1, soil_model_length, stdout) == soil_model_length ? 0 : 1;
}
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    folder = tmp_path_factory.mktemp("firmware")
    return folder, microcontroller.write(SOIL, folder)


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
def test_a_compiler_reads_back_the_file(written: tuple[Path, int]) -> None:
    folder, _ = written
    (folder / "main.cc").write_text(MAIN)
    command = ["g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "main.cc", "model.cc", "-o", "main"]
    subprocess.run(command, cwd=folder, check=True)
    assert subprocess.run([str(folder / "main")], check=True, capture_output=True).stdout == (SOIL / "model.tflite").read_bytes()


def test_the_arena_is_the_one_that_was_measured(written: tuple[Path, int]) -> None:
    folder, arena = written
    assert f"k_soil_model_arena_bytes = {arena};" in (folder / "model.h").read_text()
    assert arena == runtimes.arena_child(SOIL)


def test_the_operators_are_those_of_the_model(written: tuple[Path, int]) -> None:
    folder, _ = written
    assert microcontroller.operators((SOIL / "model.tflite").read_bytes()) == ["FULLY_CONNECTED"]
    assert re.search(r"MicroMutableOpResolver<1>: FULLY_CONNECTED\.", (folder / "model.h").read_text())
