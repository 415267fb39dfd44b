"""`python -m lab.soak.report` writes docs/reliability.md from the figures of long runs and from page.md; `--check` fails if it is stale.

The figures are those kept in lab/soak/results; `--take build/soak` puts those of another run there first.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from string import Template

from lab.soak import figures
from lab.soak.figures import Figures
from lab.soak.promises import PROMISES, Promise
from program.measured_page import MeasuredPage

ROOT = Path(__file__).parents[2]
RESULTS = Path("lab/soak/results")
PAGE = Path("docs/reliability.md")


def page(root: Path) -> str:
    """Renders the page: what is promised, and of each promise what the last long run measured."""
    measured = {name: figures.read(root / RESULTS, name) for name in PROMISES}
    rows = (_row(name, promise, measured[name]) for name, promise in PROMISES.items())
    return Template((root / "lab" / "soak" / "page.md").read_text()).substitute(
        promises="\n".join(rows),
        controls="\n".join(_controls(measured)),
        missing=", ".join(name for name in PROMISES if not measured[name]),
    )


def _row(name: str, promise: Promise, measured: Figures | None) -> str:
    ran = f"{measured.measured} ({measured.seconds:,.0f} s, seed {measured.seed})" if measured else "not run yet"
    return f"| {name} | {promise.says} | {promise.in_suite or 'see its tests'} | {promise.asked} | {ran} |"


def _controls(measured: dict[str, Figures | None]) -> Iterator[str]:
    """Yields what each long run saw where the promise is broken on purpose."""
    return (f"- **{name}**: {each.control}" for name, each in measured.items() if each and each.control)


def _figures(run: Path) -> list[Path]:
    return [file for name in PROMISES if (file := figures.file_of(run, name)).is_file()]


cli = MeasuredPage("lab.soak.report", PAGE, RESULTS, page, _figures).cli(ROOT, __doc__)


if __name__ == "__main__":
    cli()
