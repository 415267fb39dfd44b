"""`python -m bench.report` writes docs/performance.md from a run's figures and from the words in page.md; `--check` fails if it is stale.

The figures of the page are those of one run, kept in bench/results; `--take build/bench` puts those of another run there first.
"""

from __future__ import annotations

import json
from pathlib import Path
from string import Template

from bench.__main__ import BENCHMARKS
from bench.figures import Figure, read
from program.measured_page import MeasuredPage

ROOT = Path(__file__).parents[1]
RESULTS = Path("bench/results")
PAGE = Path("docs/performance.md")
MACHINE = "machine.txt"


def page(root: Path) -> str:
    """Renders the page. Raises KeyError if page.md names a table that is no benchmark."""
    files = sorted((root / RESULTS).glob("*.json"))
    tables = {file.stem: "\n".join(_table(read(file))) for file in files}
    machine = json.loads((root / RESULTS / MACHINE).read_text())
    description = ", ".join(f"{name} {value}" for name, value in machine.items())
    return Template((root / "bench" / "page.md").read_text()).substitute(
        dict.fromkeys(BENCHMARKS, "Not measured in this run.") | tables, machine=description
    )


def _table(figures: list[Figure]) -> list[str]:
    rows = [
        (_short(figure.name), _number(figure.value), figure.unit, _number(figure.baseline), _number(figure.ratio)) for figure in figures
    ]
    return ["| what | figure | unit | baseline | ratio |", "|---|---:|---|---:|---:|", *("| " + " | ".join(row) + " |" for row in rows)]


def _short(name: str) -> str:
    """Strips the benchmark's name, which is that of the table."""
    first, _, rest = name.partition(": ")
    return rest if first in BENCHMARKS else name


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _figures(run: Path) -> list[Path]:
    return [*run.glob("*.json"), run / MACHINE]


cli = MeasuredPage("bench.report", PAGE, RESULTS, page, _figures).cli(ROOT, __doc__)


if __name__ == "__main__":
    cli()
