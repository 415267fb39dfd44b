"""`python -m schemas` writes sql/tables/ and docs/tables/ from the records; `--check` writes nothing and fails when they are stale."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from program.generated import differing, write_all
from schemas.records import TABLES, JournalReading
from schemas.warehouse import ddl, index, page


def materialised() -> dict[Path, str]:
    """Returns the text of every generated file by its path from the root of the repository."""
    texts = {Path(f"sql/tables/{table.name}.sql"): ddl(record) for record, table in TABLES.items()}
    texts |= {Path(f"docs/tables/{table.name}.md"): page(record) for record, table in TABLES.items()}
    return texts | {Path("docs/tables/JournalReading.md"): page(JournalReading), Path("docs/tables/README.md"): index()}


def stale(root: Path) -> list[Path]:
    """Returns the files that differ from what the records say, are missing, or should not be there."""
    texts = materialised()
    present = {path.relative_to(root) for folder in ("sql/tables", "docs/tables") for path in (root / folder).glob("*") if path.is_file()}
    return sorted(differing(root, texts)) + sorted(present - texts.keys())


def write(root: Path) -> None:
    write_all(root, materialised())


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the files if any is stale")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="root of the repository (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    if not chosen.check:
        write(chosen.root)
    faulty = stale(chosen.root)
    verdict = "is stale: run `python -m schemas` and commit" if chosen.check else "belongs to no record: delete it"
    for path in faulty:
        print(f"{path} {verdict}", file=sys.stderr)
    return 1 if faulty else 0


if __name__ == "__main__":
    sys.exit(main())
