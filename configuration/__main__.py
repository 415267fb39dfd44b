"""`python -m configuration` writes docs/configuration.md and the editors' schemas; `--check` writes nothing, fails if they are stale."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from configuration.editor_schema import editor_schema
from configuration.kinds import KINDS
from configuration.reference import page
from program.generated import differing, write_all


def generated() -> dict[Path, str]:
    """Every generated file by its path from the root of the repository."""
    return {Path("docs/configuration.md"): page()} | {kind.schema: editor_schema(kind) for kind in KINDS}


def stale(root: Path) -> list[Path]:
    """Files that differ from what the declarations say, or are missing."""
    return differing(root, generated())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m configuration", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the files if any is stale")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="root of the repository (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not options.check:
        write_all(options.root, generated())
    faulty = stale(options.root)
    for path in faulty:
        print(f"{path} is stale: run `python -m configuration` and commit", file=sys.stderr)
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main())
