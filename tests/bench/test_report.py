"""The page of figures is what the figures say, and nothing else."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import report
from bench.figures import Figure, write

ROOT = Path(__file__).parents[2]
FIGURE = Figure(name="", value=None, unit="ms", baseline=None, ratio=None, command="python -m bench")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of what the page is made of."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "bench").mkdir()
    shutil.copy(ROOT / "bench" / "page.md", tmp_path / "bench")
    shutil.copytree(ROOT / report.RESULTS, tmp_path / report.RESULTS)
    return tmp_path


def test_the_page_is_what_the_figures_say():
    assert (ROOT / report.PAGE).read_text() == report.page(ROOT)


def test_a_changed_figure_makes_the_page_stale(root):
    assert CliRunner().invoke(report.cli, ["--root", str(root)]).exit_code == 0
    assert CliRunner().invoke(report.cli, ["--root", str(root), "--check"]).exit_code == 0
    write(
        root / report.RESULTS,
        "facts",
        [replace(FIGURE, name="facts: faster than light", value=3e8, unit="rows/s", baseline=2.0, ratio=1.5e8)],
    )
    assert CliRunner().invoke(report.cli, ["--root", str(root), "--check"]).exit_code == 1
    assert "| faster than light | 300,000,000 | rows/s | 2 | 150,000,000 |" in report.page(root)


def test_the_figures_of_a_run_take_the_place_of_those_before(root, tmp_path):
    run = tmp_path / "run"
    write(run, "latency", [replace(FIGURE, name="latency: none", value=0.5)])
    (run / report.MACHINE).write_text(json.dumps({"cores": "64"}))
    assert CliRunner().invoke(report.cli, ["--root", str(root), "--take", str(run)]).exit_code == 0
    page = (root / report.PAGE).read_text()
    assert "| none | 0.5 | ms |  |  |" in page
    assert "cores 64" in page
