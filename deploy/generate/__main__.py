"""`python -m deploy.generate` writes what Terraform reads of tables, views and functions.

`--check` writes nothing and fails when that is stale.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.generate import objects, tables

ROOT = Path(__file__).parents[2]
_MODULE = Path("deploy/terraform/modules/warehouse")


def files() -> dict[Path, str]:
    """Returns the text of every generated file by its path from the root of the repository."""
    described = {_MODULE / "tables" / f"{each['name']}.json": _text(each) for each in tables.described()}
    return described | {_MODULE / "objects" / f"{each['name']}.json": _text(each) for each in objects.described()}


def stale(root: Path) -> list[Path]:
    """Returns the files that are missing or differ from what schemas and sql say, and those of what is no more."""
    wanted = files()
    changed = [path for path, text in wanted.items() if not (root / path).is_file() or (root / path).read_text() != text]
    return changed + left_over(root)


def left_over(root: Path) -> list[Path]:
    there = {path.relative_to(root) for folder in ("tables", "objects") for path in (root / _MODULE / folder).glob("*.json")}
    return sorted(there - files().keys())


def write(root: Path) -> None:
    """Writes every file, and deletes those of what is no more."""
    for path in left_over(root):
        (root / path).unlink()
    for path, text in files().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def _text(described: Mapping[str, Any]) -> str:
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the files if any is stale")
    if parser.parse_args(arguments).check:
        for path in (wrong := stale(ROOT)):
            print(f"{path} is stale: run `python -m deploy.generate` and commit", file=sys.stderr)
        return 1 if wrong else 0
    write(ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main())
