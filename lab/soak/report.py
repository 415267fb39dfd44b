"""`python -m lab.soak.report` writes docs/reliability.md from the figures of long runs and from page.md; `--check` fails if it is stale.

The figures are those kept in lab/soak/results; `--take build/soak` puts those of another run there first.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Template

import click

from lab.soak import figures
from lab.soak.figures import Figures
from lab.soak.promises import PROMISES, Promise
from program.generated import differing, write_all

ROOT = Path(__file__).parents[2]
RESULTS = Path("lab/soak/results")
PAGE = Path("docs/reliability.md")
COMMAND = "python -m lab.soak.report"

_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


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


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, help=__doc__)
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if the page is stale.")
@click.option("--take", type=_FOLDER, help="A run's folder: its figures become those of the page.")
@click.option("--root", type=_FOLDER, default=ROOT, hidden=True)
def cli(root: Path, take: Path | None, *, check: bool) -> None:
    if check:
        stale = differing(root, {PAGE: page(root)})
        print(f"{PAGE} is stale: run `{COMMAND}` and commit" if stale else f"{PAGE} is what the figures say", file=sys.stderr)
        sys.exit(int(bool(stale)))
    if take:
        (root / RESULTS).mkdir(parents=True, exist_ok=True)
        for file in (figures.file_of(take, name) for name in PROMISES):
            if file.is_file():
                shutil.copy(file, root / RESULTS / file.name)
    write_all(root, {PAGE: page(root)})


if __name__ == "__main__":
    cli()
