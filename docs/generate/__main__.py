"""`python -m docs.generate` writes the generated pages of the reference; `--check` writes nothing and fails when they are stale."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from docs.generate import metrics, views

ROOT = Path(__file__).parents[2]


def pages() -> dict[Path, str]:
    """Every generated page by its path from the root of the repository."""
    return {Path("docs/metrics.md"): metrics.page()} | views.pages()


def stale(root: Path) -> list[Path]:
    """Pages that are missing or differ from what the code says, and those of views and queries that are no more."""
    changed = [path for path, text in pages().items() if not (root / path).is_file() or (root / path).read_text() != text]
    return changed + left_over(root)


def left_over(root: Path) -> list[Path]:
    there = {page.relative_to(root) for folder in ("views", "queries") for page in (root / "docs" / folder).glob("*.md")}
    return sorted(there - pages().keys())


def write(root: Path) -> None:
    """Writes every page, and deletes those of views and queries that are no more."""
    for path in left_over(root):
        (root / path).unlink()
    for path, text in pages().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the pages if any is stale")
    if parser.parse_args(arguments).check:
        for path in (wrong := stale(ROOT)):
            print(f"{path} is stale: run `python -m docs.generate` and commit", file=sys.stderr)
        return 1 if wrong else 0
    write(ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
